package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

func TestCheck(t *testing.T) {
	many := make([]activity.User, MaxUsers+1)
	for i := range many {
		many[i] = activity.User(fmt.Sprint("u", i))
	}
	tests := []struct {
		name string
		view View
		want error
	}{
		{"top", View{Kind: ViewTop, Rule: "dense", Period: "day", Limit: 1}, nil},
		{"top, all rows", View{Kind: ViewTop, Rule: "daily.current", Period: "all", Limit: MaxRows}, nil},
		{"top without limit", View{Kind: ViewTop, Rule: "dense", Period: "day"}, ErrBadView},
		{"top, too many", View{Kind: ViewTop, Rule: "dense", Period: "day", Limit: MaxRows + 1}, ErrBadView},
		{"top with user", View{Kind: ViewTop, Rule: "dense", Period: "day", Limit: 1, User: "ann"}, ErrBadView},
		{"range", View{Kind: ViewRange, Rule: "dense", Period: "day", From: 101, To: 100 + MaxRows}, nil},
		{"range, one place", View{Kind: ViewRange, Rule: "dense", Period: "day", From: 7, To: 7}, nil},
		{"range, too many", View{Kind: ViewRange, Rule: "dense", Period: "day", From: 101, To: 101 + MaxRows}, ErrBadView},
		{"range from 0", View{Kind: ViewRange, Rule: "dense", Period: "day", To: 5}, ErrBadView},
		{"range backwards", View{Kind: ViewRange, Rule: "dense", Period: "day", From: 5, To: 4}, ErrBadView},
		{"range with limit", View{Kind: ViewRange, Rule: "dense", Period: "day", From: 1, To: 4, Limit: 4}, ErrBadView},
		{"top with from", View{Kind: ViewTop, Rule: "dense", Period: "day", Limit: 4, From: 1}, ErrBadView},
		{"around", View{Kind: ViewAround, Rule: "dense", Period: "day", User: "ann"}, nil},
		{"around nobody known", View{Kind: ViewAround, Rule: "dense", Period: "day", User: "nobody", Span: MaxSpan}, nil},
		{"around no one", View{Kind: ViewAround, Rule: "dense", Period: "day", Span: 1}, ErrBadView},
		{"around, too wide", View{Kind: ViewAround, Rule: "dense", Period: "day", User: "ann", Span: MaxSpan + 1}, ErrBadView},
		{"around, negative", View{Kind: ViewAround, Rule: "dense", Period: "day", User: "ann", Span: -1}, ErrBadView},
		{"users", View{Kind: ViewUsers, Rule: "dense", Period: "day~2", Users: many[1:]}, nil},
		{"users, none", View{Kind: ViewUsers, Rule: "dense", Period: "day"}, ErrBadView},
		{"users, too many", View{Kind: ViewUsers, Rule: "dense", Period: "day", Users: many}, ErrBadView},
		{"users with span", View{Kind: ViewUsers, Rule: "dense", Period: "day", Users: many[:1], Span: 1}, ErrBadView},
		{"user", View{Kind: ViewUser, User: "ann"}, nil},
		{"user with rule", View{Kind: ViewUser, User: "ann", Rule: "dense"}, ErrBadView},
		{"user, no one", View{Kind: ViewUser}, ErrBadView},
		{"user, unknown", View{Kind: ViewUser, User: "nobody"}, ErrUserNotFound},
		{"no kind", View{}, ErrBadView},
		{"another kind", View{Kind: "bottom", Rule: "dense", Period: "day", Limit: 1}, ErrBadView},
		{"no rule", View{Kind: ViewTop, Period: "day", Limit: 1}, ErrRuleNotFound},
		{"another rule", View{Kind: ViewTop, Rule: "none", Period: "day", Limit: 1}, ErrRuleNotFound},
		{"another period", View{Kind: ViewTop, Rule: "dense", Period: "week", Limit: 1}, ErrBadPeriod},
		{"a period that is gone", View{Kind: ViewTop, Rule: "ordinal", Period: "2026-11-01", Limit: 1}, ErrPeriodGone},
	}
	g := newRig(t)
	g.send("ann 1 2026-11-21T10:00:00Z")
	for _, tt := range tests {
		if err := g.Check(t.Context(), org, tt.view); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func (g *rig) render(v View, previous *Frame) *Frame {
	g.t.Helper()
	f, err := g.Render(g.t.Context(), org, v, previous)
	must(g.t, err)
	return f
}

// boardViews are views of each kind that shows rows, and what they show after sendTwoDays.
var boardViews = []struct {
	view View
	want []string
}{
	{View{Kind: ViewTop, Rule: "standard", Period: "day", Limit: 2}, []string{"1 ann 9 <3", "2 dan 7"}},
	{View{Kind: ViewRange, Rule: "standard", Period: "day", From: 2, To: 3}, []string{"2 dan 7", "3 bob 3 <1"}},
	{View{Kind: ViewRange, Rule: "standard", Period: "day", From: 4, To: 9}, []string{"3 cyd 3 <1"}},
	{View{Kind: ViewRange, Rule: "standard", Period: "day", From: 5, To: 9}, []string{}},
	{View{Kind: ViewAround, Rule: "standard", Period: "day", User: "cyd", Span: 1}, []string{"3 bob 3 <1", "3 cyd 3 <1"}},
	{View{Kind: ViewAround, Rule: "standard", Period: "day", User: "nobody", Span: 9}, []string{}},
	{View{Kind: ViewUsers, Rule: "standard", Period: "day", Users: []activity.User{"cyd", "nobody", "ann", "cyd"}}, []string{"1 ann 9 <3", "3 cyd 3 <1"}},
	{View{Kind: ViewTop, Rule: "standard", Period: "day~1", Limit: 9}, []string{"1 bob 2", "1 cyd 2", "3 ann 1"}},
}

func TestRender_Rows(t *testing.T) {
	g := newRig(t)
	g.sendTwoDays()
	for _, tt := range boardViews {
		f := g.render(tt.view, nil)
		total := 4
		if tt.view.Period != "day" {
			total = 3
		}
		if diff := cmp.Diff(tt.want, brief(f.Rows)); diff != "" || f.Total != total || f.User != nil || f.AsOf == 0 || f.Period.Closed {
			t.Errorf("%+v: %+v (-want +got)\n%s", tt.view, f, diff)
		}
		if again := g.render(tt.view, f); again != f {
			t.Errorf("%+v: nothing changed, and the frame is another one", tt.view)
		}
	}
}

// TestRender_SameFrame: what a view does not show leaves its frame as it is; what it shows does not.
func TestRender_SameFrame(t *testing.T) {
	top := View{Kind: ViewTop, Rule: "standard", Period: "day", Limit: 2}
	users := View{Kind: ViewUsers, Rule: "standard", Period: "day", Users: []activity.User{"ann"}}
	around := View{Kind: ViewAround, Rule: "standard", Period: "day", User: "ann", Span: 0}
	tests := []struct {
		name, send, now string
		view            View
		same            bool
		want            []string
	}{
		{name: "another board", send: "lap ann 1 2026-11-21T11:00:00Z", view: top, same: true},
		{name: "a row below", send: "bob 1 2026-11-21T11:00:00Z", view: top, same: true},
		{name: "another user", send: "bob 1 2026-11-21T11:00:00Z", view: users, same: true},
		{name: "a row beside", send: "bob 1 2026-11-21T11:00:00Z", view: around, same: true},
		{name: "a row", send: "dan 1 2026-11-21T11:00:00Z", view: top, want: []string{"1 ann 9 <3", "2 dan 8"}},
		{name: "the total alone", send: "eve 1 2026-11-21T11:00:00Z", view: users, want: []string{"1 ann 9 <3"}},
		{name: "the rank alone", send: "eve 99 2026-11-21T11:00:00Z", view: around, want: []string{"2 ann 9 <3"}},
		{name: "the period before alone", send: "dan 2 2026-11-20T11:00:00Z", view: top, want: []string{"1 ann 9 <4", "2 dan 7 <1"}},
		{name: "the period before alone, around", send: "dan 2 2026-11-20T11:00:00Z", view: around, want: []string{"1 ann 9 <4"}},
		{name: "a new period", now: "2026-11-22T00:00:00Z", view: top, want: []string{}},
		{name: "later in the period", now: "2026-11-21T23:59:59.999Z", view: top, same: true},
		{name: "its close", now: "2026-11-23T00:00:00Z", view: View{Kind: ViewTop, Rule: "standard", Period: "2026-11-21", Limit: 1}, want: []string{"1 ann 9 <3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newRig(t)
			g.sendTwoDays()
			before := g.render(tt.view, nil)
			if tt.send != "" {
				g.send(tt.send)
			}
			if tt.now != "" {
				g.set(tt.now)
			}
			after := g.render(tt.view, before)
			if (after == before) != tt.same {
				t.Fatalf("same frame: %v, want %v\nbefore %+v\nafter %+v", after == before, tt.same, before, after)
			}
			if diff := cmp.Diff(tt.want, brief(after.Rows)); !tt.same && diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRender_NumberingChanged: a published catalog may number ties in another way; no row of any board has changed with it.
func TestRender_NumberingChanged(t *testing.T) {
	g := newRig(t)
	g.sendTwoDays()
	v := View{Kind: ViewTop, Rule: "standard", Period: "day", Limit: 9}
	before := g.render(v, nil)
	g.publish(strings.ReplaceAll(definitions, "ties: standard", "ties: ordinal"))
	after := g.render(v, before)
	if diff := cmp.Diff([]string{"1 ann 9 <3", "2 dan 7", "3 bob 3 <1", "4 cyd 3 <2"}, brief(after.Rows)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRender_User: a user's view is the object of GET /v1/users/{user}, and the same frame until that changes.
func TestRender_User(t *testing.T) {
	g := newRig(t)
	g.sendTwoDays()
	v := View{Kind: ViewUser, User: "dan"}
	before := g.render(v, nil)
	object, err := g.User(t.Context(), org, "dan")
	must(t, err)
	if diff := cmp.Diff(decode(t, object), decode(t, before.User)); diff != "" || before.Period != nil || before.Rows != nil {
		t.Errorf("%+v (-user +frame)\n%s", before, diff)
	}
	g.send("cyd 1 2026-11-21T11:00:00Z") // behind dan
	if g.render(v, before) != before {
		t.Error("nothing changed, and the frame is another one")
	}
	g.send("cyd 90 2026-11-21T11:00:00Z") // ahead
	after := g.render(v, before)
	place := decode(t, after.User).(map[string]any)["ranks"].([]any)[0]
	want := `{"rule":"ordinal","cycle":"day","label":"2026-11-21","rank":3,"score":7,"reached_at":"2026-11-21T10:00:00.000Z","total":4}`
	if diff := cmp.Diff(decode(t, []byte(want)), place); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
