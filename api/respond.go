package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"laurel/internal/query"
)

// bufferPool lends buffers to hot paths. One that a huge body has grown is not kept.
type bufferPool struct{ pool sync.Pool }

const maxPooled = 1 << 20

func (p *bufferPool) get() *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// put takes back what get lent, as b now.
func (p *bufferPool) put(lent *[]byte, b []byte) {
	if cap(b) <= maxPooled {
		*lent = b[:0]
		p.pool.Put(lent)
	}
}

// appender is an object that writes itself as JSON.
type appender interface{ AppendJSON(b []byte) []byte }

// releaser is an object whose memory is used again when it is not needed any more.
type releaser interface{ Release() }

// writeAppended writes an object that encodes itself, and is done with it.
func (a *API) writeAppended(w http.ResponseWriter, status int, v appender) error {
	lent := a.buffers.get()
	b := v.AppendJSON(*lent)
	if r, ok := v.(releaser); ok {
		r.Release()
	}
	defer a.buffers.put(lent, b)
	return writeBytes(w, status, b)
}

// writeFresh writes an object of a board under its tag, or 304 where the client has it already: then v is not looked at.
func (a *API) writeFresh(w http.ResponseWriter, r *request, f *query.Freshness, v appender) error {
	weak := `W/"` + f.Tag + `"`
	w.Header()["Etag"] = []string{weak} // as net/http writes ETag
	if f.Unchanged || hasTag(r.Header["If-None-Match"], weak[len("W/"):]) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return a.writeAppended(w, http.StatusOK, v)
}

// held says which answers the client has: what a read can know before it reads rows. That * is any answer that there is shows only after.
func held(r *request) query.Held {
	list := r.Header["If-None-Match"]
	if len(list) == 0 {
		return nil
	}
	return func(tag string) bool { return namesTag(list, `"`+tag+`"`) }
}

// writeJSON writes any object; for answers off the hot path.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	return writeBytes(w, status, b)
}

// writeBytes writes a whole JSON text. A client that went away is nobody's error.
func writeBytes(w http.ResponseWriter, status int, b []byte) error {
	h := w.Header()
	values := [2]string{strconv.Itoa(len(b)), "application/json"}
	h["Content-Length"] = values[:1:1]
	if len(h["Content-Type"]) == 0 {
		h["Content-Type"] = values[1:]
	}
	w.WriteHeader(status)
	if rec, ok := w.(*recorder); ok && len(b) > leastHeld {
		rec.writeWhole(b)
		return nil
	}
	_, _ = w.Write(b)
	return nil
}

// hasTag says whether an If-None-Match header, which may come on several lines, is * or names the tag.
func hasTag(lines []string, tag string) bool {
	return len(lines) == 1 && strings.TrimSpace(lines[0]) == "*" || namesTag(lines, tag)
}

// namesTag says whether one of the lists has the tag; weak and strong are equal there (RFC 9110, 13.1.2).
func namesTag(lines []string, tag string) bool {
	for _, list := range lines {
		for part := range strings.SplitSeq(list, ",") {
			if strings.TrimPrefix(strings.TrimSpace(part), "W/") == tag {
				return true
			}
		}
	}
	return false
}
