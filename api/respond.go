package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json"
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

// writeAppended writes an object that encodes itself.
func (a *API) writeAppended(w http.ResponseWriter, status int, v appender) error {
	lent := a.buffers.get()
	b := v.AppendJSON(*lent)
	defer a.buffers.put(lent, b)
	return writeBytes(w, status, b)
}

// writeTagged writes an object that encodes itself, with an ETag over all of its bytes, or 304 where the client has it already.
func (a *API) writeTagged(w http.ResponseWriter, r *request, v appender) error {
	lent := a.buffers.get()
	b := v.AppendJSON(*lent)
	defer a.buffers.put(lent, b)
	tag := `"` + strconv.FormatUint(xxhash.Sum64(b), 16) + `"`
	w.Header().Set("ETag", tag)
	if hasTag(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeBytes(w, http.StatusOK, b)
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
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}

// hasTag says whether the list of an If-None-Match header names the tag; weak and strong are equal there (RFC 9110, 13.1.2).
func hasTag(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
