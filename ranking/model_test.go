package ranking

import (
	"cmp"
	"slices"
	"strings"

	"laurel/internal/activity"
)

// model is a board as a slice that is sorted by the words of the design, and ranked by counting.
type model struct {
	order   Order
	entries []Entry
}

func (m *model) upsert(e Entry) {
	m.remove(e.User)
	m.entries = append(m.entries, e)
	slices.SortFunc(m.entries, m.compare)
}

func (m *model) compare(a, b Entry) int {
	byValue := cmp.Compare(a.Value, b.Value)
	if m.order == Descending {
		byValue = cmp.Compare(b.Value, a.Value)
	}
	return cmp.Or(byValue, cmp.Compare(a.Reached, b.Reached), strings.Compare(string(a.User), string(b.User)))
}

func (m *model) remove(u activity.User) bool {
	i := m.position(u)
	if i >= 0 {
		m.entries = slices.Delete(m.entries, i, i+1)
	}
	return i >= 0
}

func (m *model) position(u activity.User) int {
	return slices.IndexFunc(m.entries, func(e Entry) bool { return e.User == u })
}

// rank counts: for standard who is strictly better, for dense the different values that are.
func (m *model) rank(i int, t Ties) int {
	if t == Ordinal {
		return i + 1
	}
	better := 0
	seen := map[int64]bool{}
	for _, e := range m.entries {
		beats := e.Value > m.entries[i].Value
		if m.order == Ascending {
			beats = e.Value < m.entries[i].Value
		}
		if beats && (t == Standard || !seen[e.Value]) {
			better++
			seen[e.Value] = true
		}
	}
	return better + 1
}

func (m *model) rows(offset, limit int, t Ties) []Row {
	var rows []Row
	for i := max(offset, 0); i < len(m.entries) && len(rows) < limit; i++ {
		rows = append(rows, Row{Rank: m.rank(i, t), Entry: m.entries[i]})
	}
	return rows
}

func (m *model) after(e Entry) int {
	n := 0
	for _, x := range m.entries {
		if m.compare(x, e) <= 0 {
			n++
		}
	}
	return n
}
