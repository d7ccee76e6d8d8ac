//go:build linux

package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// message is what a server sends, as far as this client uses it.
type message struct {
	Type   string         `json:"type"`
	Epoch  string         `json:"epoch"`
	Prev   uint64         `json:"prev"`
	Seq    uint64         `json:"seq"`
	Total  int            `json:"total"`
	Rows   []row          `json:"rows"`
	Upsert []row          `json:"upsert"`
	Remove []string       `json:"remove"`
	User   jsontext.Value `json:"user"`
	Unset  []string       `json:"unset"`
	Code   string         `json:"code"`
	Detail string         `json:"detail"`
}

// row is a row of a board; scores are whole numbers here.
type row struct {
	Rank     int64  `json:"rank"`
	User     string `json:"user"`
	Score    int64  `json:"score"`
	Reached  string `json:"reached_at"`
	Previous int64  `json:"previous_rank"`
}

// state is what a client of a view holds. It is never changed: clients that hold the same share it.
type state struct {
	epoch string
	seq   uint64
	total int
	rows  []row
	user  map[string]string // of a user view: members and their JSON
}

// decode reads the one or several messages of a WebSocket message.
func decode(b []byte) ([]message, error) {
	if len(b) > 0 && b[0] == '[' {
		var list []message
		err := json.Unmarshal(b, &list)
		return list, err
	}
	var one message
	err := json.Unmarshal(b, &one)
	return []message{one}, err
}

// apply is the step that a message takes a client by, as docs/PROTOCOL.md says. shown are the rows that came with it.
func (s *state) apply(m *message) (next *state, shown []row, err error) {
	switch m.Type {
	case "snapshot":
		next = &state{epoch: m.Epoch, seq: m.Seq, total: m.Total, rows: m.Rows}
		if m.User != nil {
			next.user, err = merged(nil, m)
		}
		return next, m.Rows, err
	case "resumed":
		if s == nil || s.seq != m.Seq {
			return nil, nil, fmt.Errorf("resumed at %d, which the client does not hold", m.Seq)
		}
		return s, nil, nil
	}
	if s == nil || s.seq != m.Prev {
		return nil, nil, fmt.Errorf("a delta from %d to %d does not fit what the client holds", m.Prev, m.Seq)
	}
	next = &state{epoch: s.epoch, seq: m.Seq, total: m.Total}
	if m.User != nil {
		next.user, err = merged(s.user, m)
		return next, nil, err
	}
	gone := make(map[string]bool, len(m.Upsert)+len(m.Remove))
	for _, user := range m.Remove {
		gone[user] = true
	}
	for i := range m.Upsert {
		gone[m.Upsert[i].User] = true
	}
	next.rows = make([]row, 0, len(s.rows)+len(m.Upsert))
	for _, r := range s.rows {
		if !gone[r.User] {
			next.rows = append(next.rows, r)
		}
	}
	next.rows = append(next.rows, m.Upsert...)
	slices.SortFunc(next.rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.User, b.User)) })
	return next, m.Upsert, nil
}

// merged is a user's object after a message.
func merged(before map[string]string, m *message) (map[string]string, error) {
	var change map[string]jsontext.Value
	if err := json.Unmarshal(m.User, &change); err != nil {
		return nil, err
	}
	after := make(map[string]string, len(before)+len(change))
	for name, value := range before {
		after[name] = value
	}
	for _, name := range m.Unset {
		delete(after, name)
	}
	for name, value := range change {
		if err := value.Canonicalize(); err != nil {
			return nil, err
		}
		after[name] = string(value)
	}
	return after, nil
}

// shows says whether a client of a view of this kind holds what a read answered. A read of some users says their number, and a view of them the board's.
func (s *state) shows(read *state, kind string) bool {
	switch {
	case s == nil:
		return false
	case kind == "user":
		return maps.Equal(s.user, read.user)
	}
	return slices.Equal(s.rows, read.rows) && (s.total == read.total || kind == "users")
}
