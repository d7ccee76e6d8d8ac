package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed all:dist
var built embed.FS

//go:embed unbuilt.html
var unbuilt []byte

// UI serves what make ui built: the console, live boards, and the widgets that other sites embed. In a binary that was built without it the pages
// say how to get it. It is immutable after NewUI.
type UI struct {
	files map[string]*file // by path below dist
	none  *file
}

// NewUI returns what this binary was built with.
func NewUI() *UI {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // embedded as dist above
	}
	return newUI(dist)
}

func newUI(dist fs.FS) *UI {
	u := &UI{files: map[string]*file{}, none: newFile("unbuilt.html", unbuilt)}
	_ = fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		content, err := fs.ReadFile(dist, name)
		u.files[name] = newFile(name, content)
		return err
	}) // of an embedded directory nothing fails
	return u
}

// Built says whether there is a console.
func (u *UI) Built() bool { return u.files["app/console.html"] != nil }

// Cache-Control. Names under /ui/ change with the content; a widget's address does not, so that pages that embed it follow upgrades within the hour.
const (
	revalidated = "no-cache"
	forever     = "public, max-age=31536000, immutable"
	forWidgets  = "public, max-age=600, stale-while-revalidate=86400"
)

// ServePage answers a request for a page or a file; false: there is none at that path, and nothing was written.
func (u *UI) ServePage(w http.ResponseWriter, r *http.Request) bool {
	at := r.URL.Path
	switch {
	case at == "/console" || strings.HasPrefix(at, "/console/"):
		return u.page(w, r, "app/console.html")
	case at == "/live" || strings.HasPrefix(at, "/live/"):
		return u.page(w, r, "app/live.html")
	case strings.HasPrefix(at, "/widgets/v1/"):
		return u.widget(w, r, "widgets/"+strings.TrimPrefix(at, "/widgets/v1/"))
	}
	f := u.files["app"+at]
	if f == nil || !strings.HasPrefix(at, "/ui/") {
		return false
	}
	w.Header().Set("Cache-Control", forever)
	f.serve(w, r)
	return true
}

// page serves one of the pages, which find out themselves what their address asks for.
func (u *UI) page(w http.ResponseWriter, r *http.Request, name string) bool {
	f, status := u.files[name], 0
	if f == nil {
		f, status = u.none, http.StatusNotFound
	}
	h := w.Header()
	h.Set("Cache-Control", revalidated)
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	if status != 0 {
		h.Set("Content-Security-Policy", policy(f.content))
		h.Set("Content-Type", f.media)
		w.WriteHeader(status)
		_, _ = w.Write(f.content)
		return true
	}
	f.serve(w, r)
	return true
}

// pagePolicy lets a page run and ask what its own server serves, and nothing else. Pictures are those that users' profiles name.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: data:; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"

// widget serves a file that pages of any origin load.
func (u *UI) widget(w http.ResponseWriter, r *http.Request, name string) bool {
	f := u.files[name]
	if f == nil {
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", forWidgets)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Timing-Allow-Origin", "*")
	if path.Ext(name) == ".html" {
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Referrer-Policy", "no-referrer")
	}
	f.serve(w, r)
	return true
}

// file is content with what goes with it.
type file struct {
	media   string
	content []byte
	tag     string        // of its ETags
	packed  func() []byte // with gzip; nil where that does not pay
}

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{media: mediaType(path.Ext(name)), content: content, tag: hex.EncodeToString(sum[:16])}
	f.packed = sync.OnceValue(func() []byte { return pack(content) })
	return f
}

// mediaType does not ask the machine, whose tables differ.
func mediaType(extension string) string {
	switch extension {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(extension)
}

const leastPacked = 1024 // bytes: what is shorter fits into a packet as it is

func pack(content []byte) []byte {
	if len(content) < leastPacked {
		return nil
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for a level that does not exist
	_, _ = z.Write(content)
	_ = z.Close() // into memory
	return b.Bytes()
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	content, tag := f.content, f.tag
	if takesGzip(r) {
		if packed := f.packed(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			content, tag = packed, tag+"-gzip"
			r = whole(r)
		}
	}
	h.Set("Etag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// takesGzip is as much of Accept-Encoding as browsers use.
func takesGzip(r *http.Request) bool {
	for _, one := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if coding == "gzip" {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// whole asks for no range: one of a packed file is of no use to who asked.
func whole(r *http.Request) *http.Request {
	if r.Header.Get("Range") == "" {
		return r
	}
	same := r.Clone(r.Context())
	same.Header.Del("Range")
	return same
}
