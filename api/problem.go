package api

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// problem is an RFC 9457 problem document.
type problem struct {
	Type     string       `json:"type" doc:"Names the code as a URN" example:"urn:laurel:problem:rule_not_found"`
	Title    string       `json:"title" doc:"What the code means" example:"No such rule"`
	Status   int          `json:"status" doc:"The HTTP status" example:"404"`
	Detail   string       `json:"detail,omitempty" doc:"What is wrong with this very request"`
	Code     string       `json:"code" doc:"Stable: switch on this" example:"rule_not_found"`
	Field    string       `json:"field,omitempty" doc:"Path of the member or name of the parameter that is at fault" example:"meta.added"`
	Errors   []fieldError `json:"errors,omitempty" doc:"Every fault where there may be several"`
	Instance string       `json:"instance,omitempty" doc:"Names the request in the server's log"`
	// What became of a batch so far, where the store failed in the middle of it.
	Accepted   *int           `json:"accepted,omitempty"`
	Duplicates *int           `json:"duplicates,omitempty"`
	Rejected   *int           `json:"rejected,omitempty"`
	Ignored    *int           `json:"ignored,omitempty"`
	Results    jsontext.Value `json:"results,omitempty" doc:"The items whose fate is known; send the others again"`

	retry string // Retry-After in seconds, "" none
}

// fieldError is one of several faults.
type fieldError struct {
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
	Line   int    `json:"line,omitzero" doc:"Line of the body, from 1"`
	Path   string `json:"path,omitempty" doc:"Of a definition that came alone: where in the whole catalog; field is absent where that is outside of it" example:"streaks[3].grace"`
}

// write sends the problem as the answer.
func (p *problem) write(w http.ResponseWriter) {
	b, err := json.Marshal(p, json.Deterministic(true))
	if err != nil { // a detail that is not UTF-8
		b = []byte(`{"type":"urn:laurel:problem:internal","title":"Something went wrong here","status":500,"code":"internal"}`)
		p.Status = http.StatusInternalServerError
	}
	h := w.Header()
	h.Del("ETag")
	h.Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	_ = writeBytes(w, p.Status, b)
}
