package ws

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/query"
)

var drawRows = rapid.Custom(func(t *rapid.T) []query.Row {
	users := rapid.SliceOfNDistinct(rapid.SampledFrom([]activity.User{"a", "b", "c", "d", "é", "f"}), 0, 6, rapid.ID[activity.User]).Draw(t, "users")
	rows := make([]query.Row, len(users))
	for i, u := range users {
		rows[i] = query.Row{Rank: i + 1, User: u, Score: query.Score{Scaled: rapid.Int64Range(0, 2).Draw(t, "score")}, ReachedAt: 5}
	}
	return rows
})

// What a client holds after any delta is the newer frame, and a delta names no row that did not change.
func TestDelta_LeadsToTheNewerFrame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		from := &query.Frame{Period: &query.Period{Label: "all"}, Rows: drawRows.Draw(rt, "from"), Total: 9}
		to := &query.Frame{Period: &query.Period{Label: "all"}, Rows: drawRows.Draw(rt, "to"), Total: 8}
		first, second := &edition{epoch: "e", seq: 3, frame: from}, &edition{epoch: "e", seq: 7, frame: to}
		var held shown
		snapshot := decode(t, `{"type":"snapshot","id":"a"`+string(first.encodedSnapshot()))
		if err := held.apply(&snapshot); err != nil {
			rt.Fatal(err)
		}
		b, _ := second.encodedDelta(3, from)
		delta := decode(t, `{"type":"delta","id":"a"`+string(b))
		for _, row := range delta.Upsert {
			if slices.ContainsFunc(held.rows, func(r wireRow) bool { return cmp.Equal(r, row) }) {
				rt.Fatalf("%+v did not change", row)
			}
		}
		if err := held.apply(&delta); err != nil {
			rt.Fatal(err)
		}
		want := decode(t, `{"type":"snapshot","id":"a"`+string(second.encodedSnapshot()))
		wantEqual(t, held.rows, want.Rows)
		wantEqual(t, held.total, want.Total)
	})
}

func TestDelta_IsSharedAndSnapshotWhereSmaller(t *testing.T) {
	many := make([]query.Row, 50)
	for i := range many {
		many[i] = query.Row{Rank: i + 1, User: activity.User("user-" + string(rune('a'+i)))}
	}
	period := &query.Period{Label: "all"}
	full, none := &query.Frame{Period: period, Rows: many}, &query.Frame{Period: period}
	e := &edition{epoch: "e", seq: 5, frame: none}
	next, ok := e.encodedDelta(4, full)
	if !ok {
		t.Error("the delta from the edition before is always sent")
	}
	again, _ := e.encodedDelta(4, full)
	if &next[0] != &again[0] {
		t.Error("encoded twice")
	}
	if _, ok := e.encodedDelta(3, full); ok {
		t.Error("a merged delta of 50 removals is sent, though the snapshot is empty")
	}
	for seq := range uint64(100) {
		e.encodedDelta(seq, full)
	}
	if len(e.deltas) > maxDeltas {
		t.Errorf("%d deltas are kept", len(e.deltas))
	}
}

func TestNextDue(t *testing.T) {
	end := calendar.Instant(100_000)
	open, closed := &query.Period{Start: new(calendar.Instant), End: &end}, &query.Period{Start: new(calendar.Instant), End: &end, Closed: true}
	for name, tt := range map[string]struct {
		view   query.View
		period *query.Period
		now    calendar.Instant
		want   calendar.Instant
	}{
		"user: next minute":         {query.View{Kind: query.ViewUser}, nil, 61_000, 120_000},
		"user on the minute":        {query.View{Kind: query.ViewUser}, nil, 60_000, 120_000},
		"open period: its end":      {query.View{Kind: query.ViewTop, Period: "day"}, open, 61_000, end},
		"ended, not closed: always": {query.View{Kind: query.ViewTop, Period: "2026"}, open, end, end},
		"closed label: never":       {query.View{Kind: query.ViewTop, Period: "2026"}, closed, end, never},
		"closed, relative: always":  {query.View{Kind: query.ViewTop, Period: "day~1"}, closed, 200_000, 200_000},
		"no end":                    {query.View{Kind: query.ViewTop, Period: "all"}, &query.Period{Label: "all"}, 5, never},
	} {
		v := newView(viewKey{}, tt.view, nil)
		if got := v.nextDue(&query.Frame{Period: tt.period}, tt.now); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","token":"x"}`, `{"type":"pong"}`, `{"type":"unsubscribe","id":"a"}`, `{"type":"subscribe","id":5}`, `[`, `{"type":"\ud800"}`,
		`{"type":"subscribe","id":"a","view":{"kind":"users","rule":"r","period":"week","users":["b","a"]},"max_hz":2,"since":{"epoch":"e","seq":1}}`,
	} {
		f.Add([]byte(seed))
	}
	limits := Limits{}.withDefaults()
	f.Fuzz(func(t *testing.T, b []byte) {
		command, id, r := parse(b)
		if (command == nil || r != nil) != (r != nil) {
			t.Fatalf("command %v, refusal %v", command, r)
		}
		if r != nil {
			quoted, _ := jsontext.AppendQuote(nil, id)
			if answer := jsontext.Value(appendError(nil, quoted, r)); !answer.IsValid() {
				t.Fatalf("%s", answer)
			}
			return
		}
		m, ok := command.(*subscribeCommand)
		if !ok || m.check() != nil {
			return
		}
		key, view, r := normalise("o", *m.View, &limits)
		if r != nil {
			return
		}
		again, _, r := normalise("o", view, &limits)
		if r != nil || again != key {
			t.Fatalf("%+v and %+v (%v) are one view", key, again, r)
		}
	})
}
