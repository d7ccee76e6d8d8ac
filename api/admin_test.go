package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"laurel/internal/clock"
)

func adminCall(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w
}

func TestAdmin_Health(t *testing.T) {
	var down error
	h := NewAdmin(AdminOptions{
		Checks:  []Check{{"store", func(context.Context) error { return down }}, {"catalog", func(context.Context) error { return nil }}},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "laurel_up 1") }),
	})
	want := func(target string, status int, part string) {
		t.Helper()
		if w := adminCall(h, "GET", target, ""); w.Code != status || !strings.Contains(w.Body.String(), part) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	want("/livez", 200, `"alive":true`)
	want("/readyz", 200, `"ready":true`)
	down = errors.New("connection refused")
	want("/readyz", 503, `{"name":"store","ok":false,"reason":"connection refused"}`)
	want("/livez", 200, `"alive":true`)
	want("/metrics", 200, "laurel_up 1")
	want("/debug/pprof/", 200, "goroutine")
	want("/nope", 404, `"code":"not_found"`)
	if w := adminCall(h, "PUT", "/clock", `{"now":null}`); w.Code != 404 {
		t.Errorf("a server without a test clock answers %d", w.Code)
	}
}

func TestAdmin_Clock(t *testing.T) {
	c := &clock.Clock{}
	h := NewAdmin(AdminOptions{TestClock: c})
	if w := adminCall(h, "PUT", "/clock", `{"now":"1999-12-31T23:59:59+01:00"}`); w.Code != 204 || c.Now().String() != "1999-12-31T22:59:59.000Z" {
		t.Errorf("%d, now %s", w.Code, c.Now())
	}
	for _, bad := range []string{``, `{}`, `{"now":7}`, `{"now":"soon"}`, `{"now":null,"x":1}`, `{"now":null} x`, `null`, `{"Now":null}`} {
		if w := adminCall(h, "PUT", "/clock", bad); w.Code != 400 || c.Now().String() != "1999-12-31T22:59:59.000Z" {
			t.Errorf("body %s: %d, now %s", bad, w.Code, c.Now())
		}
	}
	if w := adminCall(h, "PUT", "/clock", `{"now":null}`); w.Code != 204 || c.Now().String() < "2026" {
		t.Errorf("back to the machine's time: %d, now %s", w.Code, c.Now())
	}
}
