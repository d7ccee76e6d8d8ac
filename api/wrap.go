package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"laurel/internal/auth"
)

const maxRequestID = 64

// wrap makes a route a handler.
func (a *API) wrap(rt route) http.Handler {
	serve := a.serve(rt)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, place{}) })
}

// serve is what every route has in common.
func (a *API) serve(rt route) handler {
	return func(w http.ResponseWriter, r *http.Request, at place) {
		began := time.Now() // a duration, not a decision: the machine's time, also under a test clock
		both := &struct {   // one allocation
			recorder
			request
			id [1]string
		}{recorder: recorder{ResponseWriter: w, ctx: r.Context()}, request: request{Request: r, id: requestID(r.Header.Get("X-Request-Id")), at: at}}
		rec, req := &both.recorder, &both.request
		h := rec.Header()
		both.id[0] = req.id
		h["X-Request-Id"] = both.id[:]
		h["X-Content-Type-Options"] = a.always.nosniff
		if rt.forPages() {
			a.allowOrigin(h, r.Header.Get("Origin"))
		}
		defer func() {
			if fault := recover(); fault != nil {
				a.panicked(rt, rec, req, fault)
			}
			if lasted := rec.hijacked || rt.lasting && rec.code() == http.StatusOK; !lasted && a.Metrics.Request != nil {
				a.Metrics.Request(rt.pattern, methodLabel(r.Method), rec.code(), time.Since(began))
			}
		}()
		body := r.Body
		if body != http.NoBody {
			r.Body = http.MaxBytesReader(w, body, MaxBody) // w, not rec: the server's own closes the connection of who sends more
		}
		if err := a.run(rt, rec, req); err != nil {
			hearOut(r, body, err)
			a.fail(rt, rec, req, err)
		}
	}
}

// run lets the request through to its handler if its key may.
func (a *API) run(rt route, w http.ResponseWriter, r *request) error {
	if rt.scope != "" {
		w.Header()["Cache-Control"] = a.always.cache
		if a.Ready != nil && !a.Ready() {
			return &fault{code: "loading", detail: "This node is reading definitions and keys anew."}
		}
		if err := a.authenticate(rt, r); err != nil {
			return err
		}
		if a.Stale != nil {
			if asOf, stale := a.Stale(); stale {
				w.Header().Set("Laurel-Stale", asOf.String())
			}
		}
	}
	if strings.ContainsAny(r.URL.RawQuery, "%;") { // all that can be wrong with a query; r.URL.Query would leave the parameter out
		if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
			return badRequest("", "The query is malformed: parameters are separated by & and percent-encoded.")
		}
	}
	return rt.serve(w, r)
}

// constants are the values of headers that every answer has. net/http only reads them, so that all answers share the slices; their capacity is 1, so
// that adding to one copies it.
type constants struct{ nosniff, cache, vary []string }

func newConstants() constants {
	return constants{nosniff: []string{"nosniff"}, cache: []string{"private, no-cache"}, vary: []string{"Origin"}}
}

// maxHeardOut is how much of a body that is too large is read and thrown away, beside what was read to see that.
const maxHeardOut = 2 * MaxBody

// hearOut reads on when a body was too large: to a client that is still sending, a closed connection is a broken pipe, and the answer is
// lost. One that asked first (Expect) sends nothing before it has the answer.
func hearOut(r *http.Request, body io.Reader, err error) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, body, maxHeardOut) // whatever ends it, the answer is the same
	}
}

// authenticate fills in who asks and for which org.
func (a *API) authenticate(rt route, r *request) error {
	token, keyID := rt.face.credentials(r.Request)
	inURL := rt.keyInURL && token == ""
	if inURL {
		token = r.query().Get("key")
	}
	if token == "" {
		return auth.ErrUnauthorized
	}
	identity, err := a.Keys.Authenticate(token, r.Header.Get("Origin"))
	if err != nil {
		return err
	}
	switch {
	case inURL && !slices.Equal(identity.Scopes, []auth.Scope{rt.scope}): // URLs are written down everywhere
		return &fault{code: "forbidden", detail: "A key in the URL must have the scope " + string(rt.scope) + " and no other."}
	case keyID != "" && !slices.Contains(identity.KeyIDs, keyID):
		return auth.ErrUnauthorized
	case identity.Kind == auth.Signed:
		if err := permit(rt, r, identity); err != nil {
			return err
		}
	case identity.Kind == auth.Publishable && !rt.browser:
		return &fault{code: "forbidden", detail: "pk keys only read boards."}
	case !identity.Allows(rt.scope) && (rt.orScope == "" || !identity.Allows(rt.orScope)):
		return &fault{code: "forbidden", detail: "This needs a key with the scope " + string(rt.scope) + "."}
	}
	r.identity = identity
	r.org, err = identity.Org(r.Header.Get("Laurel-Org"))
	return err
}

// fail renders an error, unless the answer has begun already.
func (a *API) fail(rt route, w *recorder, r *request, err error) {
	if w.status != 0 || w.hijacked {
		a.Log.Warn().Err(err).Str("request", r.id).Msg("answer broken off")
		return
	}
	p := a.problems.of(err)
	p.Instance = "urn:laurel:request:" + r.id
	if p.Status == http.StatusInternalServerError {
		a.Log.Error().Err(err).Str("request", r.id).Str("path", r.URL.Path).Msg("request failed")
	}
	rt.face.write(w, p)
}

// panicked turns a handler's panic into a 500. http.ErrAbortHandler is a handler's wish to drop the connection and stays one.
func (a *API) panicked(rt route, w *recorder, r *request, reason any) {
	if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(reason)
	}
	a.Log.Error().Interface("panic", reason).Bytes("stack", debug.Stack()).Str("request", r.id).Msg("handler panicked")
	if w.status == 0 && !w.hijacked {
		p := a.problems.of(&fault{code: "internal"})
		p.Instance = "urn:laurel:request:" + r.id
		rt.face.write(w, p)
	}
}

// requestID is the client's own id where that is harmless in a log and a header, else a fresh one.
func requestID(given string) string {
	ok := given != "" && len(given) <= maxRequestID
	for i := 0; ok && i < len(given); i++ {
		c := given[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if ok {
		return given
	}
	return strconv.FormatUint(rand.Uint64()|1<<63, 16)
}

// methodLabel keeps the label set closed whatever clients send.
func methodLabel(m string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, m) {
		return m
	}
	return "other"
}

// recorder remembers the status for the metrics.
type recorder struct {
	http.ResponseWriter
	ctx      context.Context // of the request
	status   int             // 0 until the header is written
	hijacked bool
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker, which the WebSocket upgrade asks for by type.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = err == nil
	return conn, rw, err
}

// Unwrap lets http.ResponseController reach what recorder does not offer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
