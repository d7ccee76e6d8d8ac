package api

import (
	"context"
	"net/http"
	"net/http/pprof"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/calendar"
	"laurel/internal/clock"
)

// Check is one thing that must hold for this node to be sent traffic.
type Check struct {
	Name string
	// Probe returns why it does not hold, nil if it does. It is bounded by ctx.
	Probe func(ctx context.Context) error
}

// AdminOptions is what the operators' listener shows.
type AdminOptions struct {
	Checks []Check
	// Metrics serves /metrics; nil: 404.
	Metrics http.Handler
	// TestClock, when not nil, may be set by PUT /clock. Never give it to a server that people rely on.
	TestClock *clock.Clock
}

// NewAdmin returns the handler of the operators' listener, which asks for no key and must not be reachable from outside: liveness,
// readiness, metrics, profiles and, for tests, the clock.
func NewAdmin(o AdminOptions) http.Handler {
	a := &admin{AdminOptions: o, problems: newProblems()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", a.live)
	mux.HandleFunc("GET /readyz", a.ready)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if o.TestClock != nil {
		mux.HandleFunc("PUT /clock", a.setClock)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		a.problems.of(&fault{code: "not_found", detail: "The admin listener has no such route for this method."}).write(w)
	})
	return mux
}

type admin struct {
	AdminOptions
	problems *problems
}

// live says that the process answers, and nothing about what it depends on: a restart would not mend that.
func (a *admin) live(w http.ResponseWriter, _ *http.Request) {
	_ = writeJSON(w, http.StatusOK, struct {
		Alive bool `json:"alive"`
	}{true})
}

// readiness is the body of /readyz.
type readiness struct {
	Ready  bool     `json:"ready"`
	Checks []probed `json:"checks"`
}

type probed struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	out := readiness{Ready: true, Checks: []probed{}}
	for _, c := range a.Checks {
		p := probed{Name: c.Name, OK: true}
		if err := c.Probe(r.Context()); err != nil {
			p.OK, p.Reason, out.Ready = false, err.Error(), false
		}
		out.Checks = append(out.Checks, p)
	}
	status := http.StatusOK
	if !out.Ready {
		status = http.StatusServiceUnavailable
	}
	_ = writeJSON(w, status, out)
}

// setClock sets now for every decision of the node; null gives it back to the machine.
func (a *admin) setClock(w http.ResponseWriter, r *http.Request) {
	at, err := readClock(w, r)
	if err != nil {
		a.problems.of(err).write(w)
		return
	}
	a.TestClock.Set(at)
	w.WriteHeader(http.StatusNoContent)
}

func readClock(w http.ResponseWriter, r *http.Request) (*calendar.Instant, error) {
	body, err := readAll(http.MaxBytesReader(w, r.Body, MaxBody), nil)
	if err != nil {
		return nil, err
	}
	var in struct {
		Now jsontext.Value `json:"now"`
	}
	if err := decodeStrict(body, &in); err != nil {
		return nil, err
	}
	switch in.Now.Kind() {
	case 'n':
		return nil, nil
	case '"':
		text, err := jsontext.AppendUnquote(nil, in.Now)
		if err != nil {
			return nil, syntaxFault(in.Now, err)
		}
		i, _, err := calendar.ParseInstant(string(text))
		if err != nil {
			return nil, &fault{code: "bad_time", field: "now"}
		}
		return &i, nil
	}
	return nil, badRequest("now", "This must be an RFC 3339 time, or null for the machine's.")
}
