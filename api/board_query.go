package api

import (
	"bytes"
	"math"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// maxBoards is how many boards one request may read.
const maxBoards = 50

// selecting are the parameters that say which part of a board is meant, in groups: one group goes with a request.
func selecting() [][]string {
	return [][]string{{"min_score", "max_score"}, {"around_score"}, {"percentile"}, {"top_percent"}}
}

// checkTogether refuses parameters that contradict each other. has says which are there.
func checkTogether(has func(name string) bool) error {
	given := ""
	for _, group := range selecting() {
		i := slices.IndexFunc(group, has)
		if i < 0 {
			continue
		}
		if given != "" {
			return badRequest(group[i], "Give either "+given+" or "+group[i]+".")
		}
		given = group[i]
	}
	for _, name := range []string{"offset", "cursor"} {
		if has(name) && (given == "around_score" || given == "percentile") {
			return badRequest(name, "The rows around a place come at once: there is no "+name+" with "+given+".")
		}
	}
	if has("cursor") && has("offset") {
		return badRequest("cursor", "Give either a cursor or an offset.")
	}
	return nil
}

// boardPage reads which rows of a board the query asks for.
func boardPage(r *request) (p query.Page, err error) {
	q := r.query()
	if len(q) == 0 {
		return query.Page{Limit: defaultLimit}, nil
	}
	if err = checkTogether(q.Has); err != nil {
		return p, err
	}
	if p.Limit, err = queryInt(r, "limit", defaultLimit, 1, maxLimit); err != nil {
		return p, err
	}
	if p.Offset, err = queryInt(r, "offset", 0, 0, math.MaxInt32); err != nil {
		return p, err
	}
	p.Cursor = q.Get("cursor")
	for _, number := range [...]struct {
		name string
		to   *string
	}{{"min_score", &p.MinScore}, {"max_score", &p.MaxScore}, {"around_score", &p.AroundScore}, {"percentile", &p.Percentile}, {"top_percent", &p.TopPercent}} {
		if *number.to, err = queryNumber(r, number.name); err != nil {
			return p, err
		}
	}
	return p, nil
}

// queryNumber is a decimal parameter as it is written, "" for an absent one. Whether it is one the board knows.
func queryNumber(r *request, name string) (string, error) {
	q := r.query()
	if q.Has(name) && q.Get(name) == "" {
		return "", badRequest(name, "This must be a number; leave it out for none.")
	}
	return q.Get(name), nil
}

func (a *API) getCount(w http.ResponseWriter, r *request) error {
	low, err := queryNumber(r, "min_score")
	if err != nil {
		return err
	}
	high, err := queryNumber(r, "max_score")
	if err != nil {
		return err
	}
	reads, err := a.reader(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	count, err := reads.Count(r.Context(), r.org, r.PathValue("rule"), r.PathValue("period"), low, high)
	if err != nil {
		return err
	}
	return a.writeAppended(w, http.StatusOK, count)
}

// boardsQuery asks for parts of several boards.
type boardsQuery struct {
	Boards []boardQuery `json:"boards" maxItems:"50" nullable:"false"`
}

// boardQuery is one of them: the parameters of GET /v1/leaderboards/{rule}/{period} as members, and a user.
type boardQuery struct {
	Rule        string         `json:"rule" example:"commits"`
	Period      string         `json:"period" example:"week" doc:"A cycle, a label, or cycle~N"`
	Limit       *int           `json:"limit,omitempty" nullable:"false" minimum:"0" maximum:"1000" doc:"Rows; 0 for none; left out: 50"`
	Offset      *int           `json:"offset,omitempty" nullable:"false" minimum:"0"`
	Cursor      string         `json:"cursor,omitempty"`
	MinScore    number         `json:"min_score,omitempty"`
	MaxScore    number         `json:"max_score,omitempty"`
	AroundScore number         `json:"around_score,omitempty"`
	Percentile  number         `json:"percentile,omitempty"`
	TopPercent  number         `json:"top_percent,omitempty"`
	User        *activity.User `json:"user,omitempty" nullable:"false" doc:"Also this user's place, or null if there is none"`
	Around      *int           `json:"around,omitempty" nullable:"false" minimum:"0" maximum:"500" doc:"With user: so many rows above and below"`
	Segment     *string        `json:"segment,omitempty" nullable:"false" doc:"As the parameter of GET"`
	Fields      []string       `json:"fields,omitempty" nullable:"false" doc:"profile: rows have their users' profiles"`
}

// number is a JSON number as it was written: a float64 would not keep every score.
type number string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *number) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if v.Kind() != '0' {
		return &json.SemanticError{JSONPointer: dec.StackPointer()}
	}
	*n = number(bytes.TrimSpace(v))
	return nil
}

// Schema implements huma.SchemaProvider.
func (number) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

func (a *API) postQuery(w http.ResponseWriter, r *request) error {
	var in boardsQuery
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	if in.Boards == nil || len(in.Boards) > maxBoards {
		return badRequest("boards", "This must be an array of up to 50 queries.")
	}
	if err := a.await(r); err != nil {
		return err
	}
	answer := boardSet{api: a, errs: make([]error, len(in.Boards))}
	queries := make([]query.BoardQuery, 0, len(in.Boards))
	for i := range in.Boards {
		q, err := in.Boards[i].check()
		if err == nil && !r.identity.Boards.Allow(q.Rule, q.Period) {
			err = forbiddenBoard()
		}
		if answer.errs[i] = err; err == nil {
			queries = append(queries, q)
		}
	}
	var err error
	if answer.BoardSet, err = a.Reads.Several(r.Context(), r.org, queries); err != nil {
		return err
	}
	return a.writeAppended(w, http.StatusOK, &answer)
}

// check turns a query into the reader's terms; what its members say of each other and of their ranges is judged here.
func (q *boardQuery) check() (out query.BoardQuery, err error) {
	members := map[string]bool{"cursor": q.Cursor != "", "offset": q.Offset != nil, "min_score": q.MinScore != "", "max_score": q.MaxScore != "",
		"around_score": q.AroundScore != "", "percentile": q.Percentile != "", "top_percent": q.TopPercent != ""}
	if err := checkTogether(func(name string) bool { return members[name] }); err != nil {
		return out, err
	}
	out = query.BoardQuery{Rule: q.Rule, Period: q.Period, Page: query.Page{Cursor: q.Cursor, MinScore: string(q.MinScore), MaxScore: string(q.MaxScore),
		AroundScore: string(q.AroundScore), Percentile: string(q.Percentile), TopPercent: string(q.TopPercent)}}
	if out.Limit, err = within("limit", q.Limit, defaultLimit, 0, maxLimit); err != nil {
		return out, err
	}
	if out.Offset, err = within("offset", q.Offset, 0, 0, math.MaxInt32); err != nil {
		return out, err
	}
	if out.Around, err = within("around", q.Around, -1, 0, maxAround); err != nil {
		return out, err
	}
	if out.Show, err = showOf(q.Segment, q.Fields); err != nil {
		return out, err
	}
	switch {
	case q.User != nil && !validText(string(*q.User)):
		return out, badRequest("user", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
	case q.User != nil:
		out.User = *q.User
	case q.Around != nil:
		return out, badRequest("around", "This goes with a user.")
	}
	return out, nil
}

// within is a member within [low, high], or what stands for an absent one.
func within(field string, n *int, absent, low, high int) (int, error) {
	switch {
	case n == nil:
		return absent, nil
	case *n < low || *n > high:
		return 0, badRequest(field, "This must be an integer from "+itoa(low)+" to "+itoa(high)+".")
	}
	return *n, nil
}

// boardSet is the answer to several queries.
type boardSet struct {
	*query.BoardSet
	api  *API
	errs []error // of queries that were not asked, by their place; nil for those that Boards has, in order
}

// AppendJSON appends the boards as a JSON object. A query that failed has an object with its error instead.
func (s *boardSet) AppendJSON(b []byte) []byte {
	b = append(b, `{"as_of":"`...)
	b = s.AsOf.AppendFormat(b)
	b = appendText(append(b, '"'), `,"revision":`, s.Revision)
	b = append(b, `,"boards":[`...)
	asked := 0
	for i, err := range s.errs {
		if i > 0 {
			b = append(b, ',')
		}
		if err == nil {
			answer := &s.Boards[asked]
			asked++
			if answer.Err == nil {
				b = answer.Board.AppendJSON(b)
				continue
			}
			err = answer.Err
		}
		b = s.api.appendError(b, err)
	}
	return append(b, `]}`...)
}

// appendError appends what a problem document would say, in short.
func (a *API) appendError(b []byte, err error) []byte {
	p := a.problems.of(err)
	b = appendText(append(b, `{"error":{`...), `"code":`, p.Code)
	detail := p.Detail
	if detail == "" {
		detail = p.Title
	}
	b = appendText(b, `,"detail":`, detail)
	if p.Field != "" {
		b = appendText(b, `,"field":`, p.Field)
	}
	return append(b, `}}`...)
}

// nullableRank describes a user's place that may be null.
type nullableRank struct{}

// Schema implements huma.SchemaProvider.
func (nullableRank) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[rankDoc](), true, ""), {Type: "null"}},
		Description: "In POST /v1/leaderboards/query with user: that user's place, null if there is none"}
}

// boardAnswer describes one element of the answer.
type boardAnswer struct{}

// Schema implements huma.SchemaProvider.
func (boardAnswer) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[leaderboardDoc](), true, ""), r.Schema(reflect.TypeFor[boardErrorDoc](), true, "")}}
}
