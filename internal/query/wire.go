package query

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/profile"
)

// Score is a number on a board: an integer scaled by the rule's decimals. On the wire it is a plain JSON number.
type Score struct {
	Scaled   int64
	Decimals int
}

// AppendJSON appends the score as a JSON number without exponent.
func (s Score) AppendJSON(b []byte) []byte { return catalog.FormatScaled(b, s.Scaled, s.Decimals) }

// MarshalJSON implements json.Marshaler.
func (s Score) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

// Row is one place on a board.
type Row struct {
	Rank         int              `json:"rank"`
	User         activity.User    `json:"user"`
	Score        Score            `json:"score"`
	ReachedAt    calendar.Instant `json:"reached_at"`
	PreviousRank int              `json:"previous_rank,omitzero"` // 0: none
	Profile      profile.Profile  `json:"profile,omitzero"`       // where Show asks for it
}

// AppendJSON appends the row as a JSON object. REST, WebSocket and SSE all write rows by it.
func (r *Row) AppendJSON(b []byte) []byte {
	b = append(b, `{"rank":`...)
	b = strconv.AppendInt(b, int64(r.Rank), 10)
	b = append(b, `,"user":`...)
	b = appendQuoted(b, string(r.User))
	b = append(b, `,"score":`...)
	b = r.Score.AppendJSON(b)
	b = append(b, `,"reached_at":"`...)
	b = r.ReachedAt.AppendFormat(b)
	b = append(b, '"')
	if r.PreviousRank != 0 {
		b = append(b, `,"previous_rank":`...)
		b = strconv.AppendInt(b, int64(r.PreviousRank), 10)
	}
	if r.Profile != (profile.Profile{}) {
		b = appendProfile(append(b, `,"profile":`...), &r.Profile)
	}
	return append(b, '}')
}

// appendQuoted appends a text that is valid UTF-8, as all that is stored is. Most ids are letters, digits and punctuation that need no second look.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ = jsontext.AppendQuote(b, s)
			return b
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendProfile(b []byte, p *profile.Profile) []byte {
	b = append(b, '{')
	if p.Name != "" {
		b = append(b, `"name":`...)
		b, _ = jsontext.AppendQuote(b, p.Name) // both are valid UTF-8, as user ids are
	}
	if p.Picture != "" {
		if p.Name != "" {
			b = append(b, ',')
		}
		b = append(b, `"picture":`...)
		b, _ = jsontext.AppendQuote(b, p.Picture)
	}
	return append(b, '}')
}

// appendSegment appends the member of objects of a segment's board.
func appendSegment(b []byte, segment string) []byte {
	if segment == "" {
		return b
	}
	b, _ = jsontext.AppendQuote(append(b, `,"segment":`...), segment)
	return b
}

// AppendRows appends rows as a JSON array, [] for none.
func AppendRows(b []byte, rows []Row) []byte {
	b = append(b, '[')
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = rows[i].AppendJSON(b)
	}
	return append(b, ']')
}

// Period is a period on the wire. Start and End are left out for cycle "all".
type Period struct {
	Label  string            `json:"label"`
	Start  *calendar.Instant `json:"start,omitempty"`
	End    *calendar.Instant `json:"end,omitempty"`
	Closed bool              `json:"closed"`
}

// AppendJSON appends the period as a JSON object.
func (p *Period) AppendJSON(b []byte) []byte {
	b = append(b, `{"label":`...)
	b, _ = jsontext.AppendQuote(b, p.Label)
	if p.Start != nil {
		b = append(b, `,"start":"`...)
		b = p.Start.AppendFormat(b)
		b = append(b, `","end":"`...)
		b = p.End.AppendFormat(b)
		b = append(b, '"')
	}
	b = append(b, `,"closed":`...)
	b = strconv.AppendBool(b, p.Closed)
	return append(b, '}')
}

// ViewKind is what a live view shows.
type ViewKind string

// The kinds of DESIGN §4.4.
const (
	ViewTop    ViewKind = "top"    // the first Limit rows
	ViewAround ViewKind = "around" // User, and Span rows above and below
	ViewRange  ViewKind = "range"  // the rows at the places From to To
	ViewUsers  ViewKind = "users"  // the rows of Users, in board order
	ViewUser   ViewKind = "user"   // one user's object, as GET /v1/users/{user}
)

// View says what a live view shows. Fields that its kind does not use are zero.
type View struct {
	Kind   ViewKind      `json:"kind"`
	Rule   string        `json:"rule,omitempty"`
	Period string        `json:"period,omitempty"` // a cycle (rolls over by itself), a label, or cycle~N
	Limit  int           `json:"limit,omitempty"`
	User   activity.User `json:"user,omitempty"`
	Span   int           `json:"span,omitempty"`
	// From and To are places on the board, from 1, both inclusive. Ties do not share a place, though they may share a rank.
	From  int             `json:"from,omitempty"`
	To    int             `json:"to,omitempty"`
	Users []activity.User `json:"users,omitempty"`
	// Segment is that of a board, as Show.Segment.
	Segment string `json:"segment,omitempty"`
	// Fields are what rows show besides: "profile".
	Fields []string `json:"fields,omitempty"`
}

// Frame is what a view shows at one moment. It is immutable once returned.
type Frame struct {
	AsOf   calendar.Instant
	Period *Period // nil for ViewUser
	Total  int
	Rows   []Row
	// User is the JSON object of ViewUser, members in a fixed order; nil for the others.
	User  []byte
	stamp stamp
}
