package ws

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/query"
)

var errLoading = errors.New("board is loading")

func wantEqual(t testing.TB, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

// wireRow and wireMessage are what docs/PROTOCOL.md says, read without the package's own types.
type wireRow struct {
	Rank    int            `json:"rank"`
	User    string         `json:"user"`
	Score   jsontext.Value `json:"score"`
	Reached string         `json:"reached_at"`
	Profile wireProfile    `json:"profile"`
}

type wireProfile struct {
	Name    string `json:"name"`
	Picture string `json:"picture"`
}

type wirePeriod struct {
	Label  string `json:"label"`
	Start  string `json:"start"`
	End    string `json:"end"`
	Closed bool   `json:"closed"`
}

type wireMessage struct {
	Type    string                    `json:"type"`
	ID      string                    `json:"id"`
	Epoch   string                    `json:"epoch"`
	Prev    uint64                    `json:"prev"`
	Seq     uint64                    `json:"seq"`
	AsOf    string                    `json:"as_of"`
	Period  wirePeriod                `json:"period"`
	Total   int                       `json:"total"`
	Rows    []wireRow                 `json:"rows"`
	Upsert  []wireRow                 `json:"upsert"`
	Remove  []string                  `json:"remove"`
	User    map[string]jsontext.Value `json:"user"`
	Unset   []string                  `json:"unset"`
	Ended   wirePeriod                `json:"ended"`
	Started wirePeriod                `json:"started"`
	Event   jsontext.Value            `json:"event"`
	Code    string                    `json:"code"`
	Detail  string                    `json:"detail"`
}

func decode(t testing.TB, b string) wireMessage {
	t.Helper()
	var m wireMessage
	if err := json.Unmarshal([]byte(b), &m, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return m
}

// shown is what a client holds of one subscription.
type shown struct {
	epoch, asOf string
	seq         uint64
	live        bool // snapshot or resumed has come on this connection
	period      wirePeriod
	total       int
	rows        []wireRow
	user        map[string]jsontext.Value
}

// apply does what the protocol page tells clients to do. It fails where the page's promises are broken.
func (s *shown) apply(m *wireMessage) error {
	switch m.Type {
	case "snapshot":
		*s = shown{epoch: m.Epoch, asOf: m.AsOf, seq: m.Seq, live: true, period: m.Period, total: m.Total, rows: m.Rows, user: m.User}
	case "resumed":
		if m.Seq != s.seq {
			return fmt.Errorf("resumed at %d, held %d", m.Seq, s.seq)
		}
		s.live = true
	case "delta":
		if !s.live {
			return nil
		}
		return s.delta(m)
	case "period":
		if s.live && m.Ended != s.period {
			return fmt.Errorf("period %+v ended, held %+v", m.Ended, s.period)
		}
	}
	return nil
}

func (s *shown) delta(m *wireMessage) error {
	if m.Prev != s.seq || m.Seq <= m.Prev {
		return fmt.Errorf("delta from %d to %d, held %d", m.Prev, m.Seq, s.seq)
	}
	if m.AsOf < s.asOf {
		return fmt.Errorf("as_of %s after %s", m.AsOf, s.asOf)
	}
	s.seq, s.asOf, s.total = m.Seq, m.AsOf, m.Total
	for _, name := range m.Unset {
		delete(s.user, name)
	}
	for name, value := range m.User {
		s.user[name] = value
	}
	for _, user := range m.Remove {
		if !s.take(user) {
			return fmt.Errorf("removed %q, who was not there", user)
		}
	}
	for _, row := range m.Upsert {
		s.take(row.User)
		s.rows = append(s.rows, row)
	}
	s.sort()
	return nil
}

func (s *shown) take(user string) bool {
	n := len(s.rows)
	s.rows = slices.DeleteFunc(s.rows, func(r wireRow) bool { return r.User == user })
	return len(s.rows) < n
}

func (s *shown) sort() {
	slices.SortFunc(s.rows, func(a, b wireRow) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.User, b.User)) })
}

func decodeLoose(t *testing.T, raw jsontext.Value) (m wireMessage) {
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Errorf("%v in %s", err, raw)
	}
	return m
}

func (s *shown) text() string {
	if s.user != nil {
		b, _ := json.Marshal(s.user, json.Deterministic(true))
		return string(b)
	}
	return fmt.Sprintf("%s closed=%v total=%d %+v", s.period.Label, s.period.Closed, s.total, s.rows)
}

func textOf(f *query.Frame) string {
	if f.User != nil {
		return string(f.User)
	}
	want := shown{period: wirePeriod{Label: f.Period.Label, Closed: f.Period.Closed}, total: f.Total}
	for _, r := range f.Rows {
		want.rows = append(want.rows, wireRow{Rank: r.Rank, User: string(r.User), Score: jsontext.Value(strconv.FormatInt(r.Score.Scaled, 10)), Reached: r.ReachedAt.String(),
			Profile: wireProfile{Name: r.Profile.Name}})
	}
	want.sort()
	return want.text()
}
