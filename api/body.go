package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// format is how a body is written.
type format uint8

const (
	formatJSON format = iota
	formatNDJSON
	formatYAML
	formatCSV
)

// formatOf reads the Content-Type. A body without one is taken for JSON.
func formatOf(r *request, allowed ...format) (format, error) {
	header := r.Header.Get("Content-Type")
	if header == "" && slices.Contains(allowed, formatJSON) || header == "application/json" && allowed[0] == formatJSON { // what nearly all send; to read it as a media type takes half a µs
		return formatJSON, nil
	}
	kind, params, err := mime.ParseMediaType(header)
	charset, given := params["charset"]
	if err == nil && (!given || strings.EqualFold(charset, "utf-8")) {
		for _, f := range allowed {
			if kind == f.mediaType() {
				return f, nil
			}
		}
	}
	names := make([]string, len(allowed))
	for i, f := range allowed {
		names[i] = f.mediaType()
	}
	return 0, &fault{code: "unsupported_media_type", detail: "Send " + strings.Join(names, " or ") + " in UTF-8."}
}

func (f format) mediaType() string {
	switch f {
	case formatNDJSON:
		return "application/x-ndjson"
	case formatYAML:
		return "application/yaml"
	case formatCSV:
		return "text/csv"
	}
	return "application/json"
}

// readBody appends the whole body, unpacked, to b. Neither form may be over MaxBody; the wrapper bounds the packed one.
func readBody(r *request, b []byte) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return b, &http.MaxBytesError{Limit: MaxBody}
	}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		if n := len(b); r.ContentLength >= 0 && r.ContentLength <= smallBody { // the server's reader ends there
			b = slices.Grow(b, int(r.ContentLength))[:n+int(r.ContentLength)]
			if _, err := io.ReadFull(r.Body, b[n:]); err != nil {
				return b[:n], &readError{err}
			}
			return b, nil
		}
		// Room for what is announced, up to what the pool keeps: a mere announcement must not cost 8 MiB.
		return readAll(r.Body, slices.Grow(b, int(min(max(r.ContentLength, 0), maxPooled-bytes.MinRead))+bytes.MinRead))
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return b, unpackFault(err)
		}
		if b, err = readAll(unpacked, b); err != nil {
			return b, unpackFault(err)
		}
		return b, nil
	default:
		return b, &fault{code: "unsupported_media_type", detail: "Content-Encoding may be gzip or absent."}
	}
}

// smallBody is up to what length a body is read in one piece, without looking for more.
const smallBody = 16 << 10

// readAll reads to the end, or to one byte past MaxBody, whatever comes first.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	buf := bytes.NewBuffer(b)
	n, err := buf.ReadFrom(io.LimitReader(r, MaxBody+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return buf.Bytes(), err
	case n > MaxBody:
		return buf.Bytes(), &http.MaxBytesError{Limit: MaxBody}
	case err != nil:
		return buf.Bytes(), &readError{err}
	}
	return buf.Bytes(), nil
}

// readError is a body that ended early or is not what its encoding says.
type readError struct{ err error }

func (e *readError) Error() string { return "read body: " + e.err.Error() }
func (e *readError) Unwrap() []error {
	return []error{&fault{code: "bad_request", detail: "The body could not be read to its end."}, e.err}
}

// unpackFault keeps a limit a limit and makes everything else one fault.
func unpackFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &fault{code: "bad_request", detail: "The body is not gzip as its Content-Encoding says, or is cut short."}
}

// bodyBudget bounds the bodies that are in memory at once, in bytes as announced: what an unknown length may come to counts in full. Past it a request is
// turned away before its body is read.
const bodyBudget = 16 * MaxBody

// weight is what a request's body may take of the budget.
func weight(r *request) int64 {
	if r.ContentLength < 0 || r.Header.Get("Content-Encoding") != "" {
		return MaxBody
	}
	return min(r.ContentLength, MaxBody)
}

// withBody lends f the whole body of the request. f must not keep it.
func (a *API) withBody(r *request, f func(body []byte) error) error {
	n := weight(r)
	if !a.bodies.TryAcquire(n) {
		return &fault{code: "overloaded", detail: "Too many large requests are being taken in at once."}
	}
	defer a.bodies.Release(n)
	lent := a.buffers.get()
	body, err := readBody(r, *lent)
	defer func() { a.buffers.put(lent, body) }()
	if err != nil {
		return err
	}
	return f(body)
}

// decodeBody reads a JSON body into v. Where it is optional, an empty body leaves v alone.
func (a *API) decodeBody(r *request, v any, need need) error {
	if _, err := formatOf(r, formatJSON); err != nil {
		return err
	}
	return a.withBody(r, func(body []byte) error {
		if need == optional && len(bytes.TrimSpace(body)) == 0 {
			return nil
		}
		return decodeStrict(body, v)
	})
}

// need says whether a body may be left out.
type need uint8

const (
	required need = iota
	optional
)
