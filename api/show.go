package api

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/query"
)

// reader reads what the parameters segment and fields ask boards to show.
func (a *API) reader(r *request) (Reads, error) {
	q := r.query()
	var segment *string
	var fields []string
	if q.Has("segment") {
		segment = new(string)
		*segment = q.Get("segment")
	}
	if q.Has("fields") {
		fields = strings.Split(q.Get("fields"), ",")
	}
	if segment == nil && fields == nil {
		return a.Reads, nil
	}
	show, err := showOf(segment, fields)
	return a.Reads.With(show), err
}

func showOf(segment *string, fields []string) (s query.Show, err error) {
	if segment != nil {
		if s.Segment = *segment; s.Segment == "" {
			return s, badRequest("segment", "This must be a value of the attribute that the rule is segmented by; leave it out for the board of everyone.")
		}
	}
	if slices.ContainsFunc(fields, func(f string) bool { return f != query.FieldProfile }) {
		return s, badRequest("fields", "This must be profile.")
	}
	s.Profiles = len(fields) > 0
	return s, nil
}

// showParams are the parameters that reader reads.
func showParams() []param {
	return []param{
		{name: "segment", description: "Of a rule with segment_by: the board of this value instead of everyone's", schema: text()},
		{name: "fields", description: "profile: rows have their users' profiles", schema: huma.Schema{Type: huma.TypeString, Enum: []any{query.FieldProfile}}},
	}
}
