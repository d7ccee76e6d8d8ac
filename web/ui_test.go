package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func ask(t *testing.T, u *UI, path string, header http.Header) (_ *http.Response, body string) {
	t.Helper()
	r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
	if header != nil {
		r.Header = header
	}
	if !u.ServePage(w, r) {
		if w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: something was written for what is not there: %v", path, w.Result())
		}
		return nil, ""
	}
	return w.Result(), w.Body.String()
}

var code = strings.Repeat("let a = 1;\n", 200)

func built3() *UI {
	return newUI(fstest.MapFS{".keep": {}, "app/console.html": {Data: []byte("console")}, "app/live.html": {Data: []byte("live")},
		"app/ui/a-1.js": {Data: []byte(code)}, "widgets/rank.js": {Data: []byte(code)}, "widgets/example.html": {Data: []byte("example")}})
}

func TestUI_WhatIsWhere(t *testing.T) {
	u := built3()
	for path, want := range map[string]string{"/console": "console", "/console/users/a%2Fb": "console", "/live": "live", "/live/commits/week": "live",
		"/ui/a-1.js": code, "/widgets/v1/rank.js": code, "/widgets/v1/example.html": "example"} {
		if r, body := ask(t, u, path, nil); r == nil || r.StatusCode != 200 || body != want {
			t.Errorf("%s: %v", path, r)
		}
	}
	for _, path := range []string{"/ui/", "/ui/b.js", "/ui/../console.html", "/widgets/v1/", "/widgets/v1/none.js", "/widgets/v2/rank.js", "/widgets/v1/../app/console.html", "/consoles", "/app/console.html"} {
		if r, _ := ask(t, u, path, nil); r != nil {
			t.Errorf("%s is there", path)
		}
	}
}

func TestUI_CachesAndOrigins(t *testing.T) {
	u := built3()
	for path, want := range map[string][2]string{"/console": {revalidated, ""}, "/ui/a-1.js": {forever, ""}, "/widgets/v1/rank.js": {forWidgets, "*"}} {
		r, _ := ask(t, u, path, nil)
		if got := [2]string{r.Header.Get("Cache-Control"), r.Header.Get("Access-Control-Allow-Origin")}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		again, _ := ask(t, u, path, http.Header{"If-None-Match": {r.Header.Get("Etag")}})
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its ETag: %d", path, again.StatusCode)
		}
	}
	if r, _ := ask(t, u, "/console", nil); strings.Contains(r.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("policy %q", r.Header.Get("Content-Security-Policy"))
	}
}

func TestUI_Compression(t *testing.T) {
	u := built3()
	plain, _ := ask(t, u, "/widgets/v1/rank.js", http.Header{"Accept-Encoding": {"br, gzip;q=0"}})
	packed, body := ask(t, u, "/widgets/v1/rank.js", http.Header{"Accept-Encoding": {"br, gzip"}, "Range": {"bytes=0-9"}})
	if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" || packed.StatusCode != 200 {
		t.Fatalf("plain %v, packed %v", plain, packed)
	}
	if plain.Header.Get("Etag") == packed.Header.Get("Etag") || packed.Header.Get("Vary") != "Accept-Encoding" {
		t.Error("a cache could mix the two up")
	}
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, []byte(code)) {
		t.Errorf("unpacked %d bytes, %v", len(got), err)
	}
	if short, _ := ask(t, u, "/widgets/v1/example.html", http.Header{"Accept-Encoding": {"gzip"}}); short.Header.Get("Content-Encoding") != "" {
		t.Error("five bytes are packed")
	}
}

func TestUI_WithoutBuiltFilesPagesSayHowToGetThem(t *testing.T) {
	u := newUI(fstest.MapFS{".keep": {}})
	if u.Built() || !built3().Built() {
		t.Error("Built")
	}
	for _, path := range []string{"/console", "/live/commits/day"} {
		r, body := ask(t, u, path, http.Header{"Accept-Encoding": {"gzip"}})
		if r == nil || r.StatusCode != http.StatusNotFound || !strings.Contains(body, "make ui build") || !strings.Contains(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %v %q", path, r, body)
		}
	}
	if r, _ := ask(t, u, "/widgets/v1/rank.js", nil); r != nil {
		t.Error("a widget is there")
	}
}
