package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"

	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/config"
)

// adminHandler serves operators: metrics, probes, profiles, and the test clock if there is one. It has no authentication, so its listener is
// bound to loopback by default.
func adminHandler(metrics http.Handler, ready func() bool, testClock *clock.Clock) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready: starting, stopping, not connected to the store, or behind it", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if testClock != nil {
		mux.HandleFunc("PUT /clock", func(w http.ResponseWriter, r *http.Request) { setClock(w, r, testClock) })
	}
	return mux
}

// testClock is the clock that PUT /clock sets, nil where that is not allowed.
func testClock(cfg config.Serve, now *clock.Clock) *clock.Clock {
	if !cfg.TestClock {
		return nil
	}
	return now
}

const maxClockBody = 1024

// setClock takes {"now": instant} or {"now": null} for the machine's time.
func setClock(w http.ResponseWriter, r *http.Request, c *clock.Clock) {
	var body struct {
		Now json.RawMessage `json:"now"`
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxClockBody))
	in.DisallowUnknownFields()
	if err := in.Decode(&body); err != nil || body.Now == nil {
		http.Error(w, `expected {"now": "2026-11-21T19:40:00Z"} or {"now": null}`, http.StatusBadRequest)
		return
	}
	var text *string
	if err := json.Unmarshal(body.Now, &text); err != nil {
		http.Error(w, "now is neither a text nor null", http.StatusBadRequest)
		return
	}
	if text == nil {
		c.Set(nil)
	} else {
		at, _, err := calendar.ParseInstant(*text)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.Set(&at)
	}
	w.WriteHeader(http.StatusNoContent)
}
