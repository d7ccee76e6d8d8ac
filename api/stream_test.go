package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestStreams: a stream can flush and set deadlines through the wrapper, may be read by pages of known origins, and is no request whose time is counted.
func TestStreams(t *testing.T) {
	status := http.StatusOK
	g := newRig(t, func(o *Options) {
		o.Streams = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			control := http.NewResponseController(w)
			must(t, control.SetReadDeadline(time.Time{}))
			must(t, control.SetWriteDeadline(time.Now().Add(time.Minute)))
			w.WriteHeader(status)
			_, err := io.WriteString(w, "data: 1\n\n")
			must(t, err)
			must(t, control.Flush())
		})
	})
	server := httptest.NewServer(g.api)
	defer server.Close()
	get := func() string {
		answer, err := server.Client().Get(server.URL + "/v1/stream?kind=top")
		must(t, err)
		b, err := io.ReadAll(answer.Body)
		must(t, err)
		must(t, answer.Body.Close())
		return string(b)
	}
	if got := get(); got != "data: 1\n\n" || len(g.served) != 0 {
		t.Errorf("%q, counted %v", got, g.served)
	}
	status = http.StatusNotFound
	if get(); len(g.served) != 1 {
		t.Errorf("a refusal: counted %v", g.served)
	}
	r := g.call("OPTIONS", "/v1/stream", "", header("Authorization", ""), header("Access-Control-Request-Method", "GET"))
	if r.Code != 204 {
		t.Errorf("preflight: %d", r.Code)
	}
	newRig(t, func(o *Options) { o.Streams = nil }).call("GET", "/v1/stream", "").wants(t, 404, "not_found")
}
