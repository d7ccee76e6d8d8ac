package query

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/profile"
)

// newSegmentedRig has a rule more, by user.land, and three users who have sent from where they were.
func newSegmentedRig(t *testing.T) *rig {
	g := newRig(t)
	g.publish(strings.Replace(definitions, "      - {id: debts,",
		"      - {id: lands, when: {name: score}, value: {sum: value}, cycles: [day, all], segment_by: user.land, ties: standard}\n      - {id: debts,", 1))
	for _, step := range []struct {
		user, land, send string
	}{
		{"ann", "AT", "ann 4 2026-11-21T10:00:00Z"},
		{"bob", "AT", "bob 9 2026-11-21T10:00:00Z"},
		{"eve", "DE", "eve 5 2026-11-21T10:00:00Z"},
		{"ann", "DE", "ann 2 2026-11-21T11:00:00Z"},
	} {
		g.change(activity.User(step.user), ingest.UserChange{Create: true, Attributes: map[string]*string{"land": &step.land}})
		g.send(step.send)
	}
	return g
}

func (g *rig) change(user activity.User, c ingest.UserChange) {
	g.t.Helper()
	must(g.t, g.ingest.SetUser(g.t.Context(), org, user, c))
}

func (g *rig) name(user activity.User, name string) { g.change(user, ingest.UserChange{Name: &name}) }

func TestSegment_Boards(t *testing.T) {
	g := newSegmentedRig(t)
	for segment, want := range map[string][]string{
		"": {"1 bob 9", "2 ann 6", "3 eve 5"}, "AT": {"1 bob 9", "2 ann 4"}, "DE": {"1 eve 5", "2 ann 2"}, "FR": {}, "no segment at all:x": {},
	} {
		in := rig{Reader: g.With(Show{Segment: segment}), t: t}
		l := in.page("lands", "day", Page{Limit: 10})
		if diff := cmp.Diff(want, brief(l.Rows)); diff != "" || l.Segment != segment || l.Rule != "lands" {
			t.Errorf("%q: rule %q, segment %q\n%s", segment, l.Rule, l.Segment, diff)
		}
		ranks, err := in.Ranks(t.Context(), org, "lands", "all", []activity.User{"ann", "bob", "eve"}, false)
		if diff := cmp.Diff(want, brief(ranks.Rows)); err != nil || diff != "" || ranks.Segment != segment {
			t.Errorf("%q: %v, segment %q\n%s", segment, err, ranks.Segment, diff)
		}
		f := in.render(View{Kind: ViewTop, Rule: "lands", Period: "all", Limit: 5, Segment: segment}, nil)
		if diff := cmp.Diff(want, brief(f.Rows)); diff != "" {
			t.Errorf("a view of %q\n%s", segment, diff)
		}
		if len(want) > 0 {
			if u := in.rank("lands", "all", "ann", 1); u.Segment != segment || u.Rank != 2 || u.Total != len(want) {
				t.Errorf("%q: %+v", segment, u)
			}
		}
	}
	if _, err := g.With(Show{Segment: "FR"}).UserRank(t.Context(), org, "lands", "all", "ann", 0, nil); !errors.Is(err, ErrNotRanked) {
		t.Errorf("on an empty board: %v", err)
	}
	// A cursor of one segment is none of another.
	at := rig{Reader: g.With(Show{Segment: "AT"}), t: t}
	next := at.page("lands", "day", Page{Limit: 1}).Next
	if diff := cmp.Diff([]string{"2 ann 4"}, brief(at.page("lands", "day", Page{Limit: 1, Cursor: next}).Rows)); diff != "" {
		t.Error(diff)
	}
	if _, err := g.With(Show{Segment: "DE"}).Leaderboard(t.Context(), org, "lands", "day", Page{Limit: 1, Cursor: next}, nil); !errors.Is(err, ErrBadCursor) {
		t.Errorf("a cursor of another segment: %v", err)
	}
}

// Naming what is no segment takes the memory of one board, however often.
func TestSegment_UnknownOnesShareABoard(t *testing.T) {
	g := newSegmentedRig(t)
	before := g.boards.Stats().Boards
	for i := range 50 {
		in := rig{Reader: g.With(Show{Segment: strings.Repeat("x", i+1)}), t: t}
		in.page("lands", "all", Page{Limit: 1})
	}
	if n := g.boards.Stats().Boards - before; n > 1 {
		t.Errorf("%d boards", n)
	}
}

func TestSegment_NotOfThisRule(t *testing.T) {
	g := newSegmentedRig(t)
	in := g.With(Show{Segment: "AT"})
	for _, rule := range []string{"ordinal", "daily.current"} {
		_, err := in.Leaderboard(t.Context(), org, rule, "all", Page{Limit: 1}, nil)
		var param *ParamError
		if !errors.As(err, &param) || param.Field != "segment" || !errors.Is(err, ErrBadParam) {
			t.Errorf("%s: %v", rule, err)
		}
		if err := g.Check(t.Context(), org, View{Kind: ViewTop, Rule: rule, Period: "all", Limit: 1, Segment: "AT"}); !errors.Is(err, ErrBadParam) {
			t.Errorf("a view of %s: %v", rule, err)
		}
	}
	for name, v := range map[string]View{
		"user and segment":   {Kind: ViewUser, User: "ann", Segment: "AT"},
		"user and fields":    {Kind: ViewUser, User: "ann", Fields: []string{"profile"}},
		"an unknown field":   {Kind: ViewTop, Rule: "lands", Period: "all", Limit: 1, Fields: []string{"profile", "age"}},
		"segment of nothing": {Kind: "x", Segment: "AT"},
	} {
		if err := g.Check(t.Context(), org, v); !errors.Is(err, ErrBadView) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSegment_Listed(t *testing.T) {
	g := newSegmentedRig(t)
	list, err := g.Leaderboards(t.Context(), org)
	must(t, err)
	for _, l := range list.Leaderboards {
		by, segments := "", []string(nil)
		if l.Rule == "lands" {
			by, segments = "user.land", []string{"AT", "DE"}
		}
		if diff := cmp.Diff(segments, l.Segments); diff != "" || l.SegmentBy != by {
			t.Errorf("%s: by %q\n%s", l.Rule, l.SegmentBy, diff)
		}
	}
	b, err := g.UserRanks(t.Context(), org, "ann", "")
	must(t, err)
	var got struct {
		Ranks []struct {
			Rule, Segment, Cycle string
			Rank                 int
		}
	}
	must(t, json.Unmarshal(b, &got))
	var brief []string
	for _, r := range got.Ranks {
		if r.Rule == "lands" && r.Cycle == "all" {
			brief = append(brief, r.Segment+" "+string(rune('0'+r.Rank)))
		}
	}
	if diff := cmp.Diff([]string{" 2", "AT 2", "DE 2"}, brief); diff != "" {
		t.Error(diff)
	}
}

// Boards that are read at once show each what was asked of it.
func TestShow_Several(t *testing.T) {
	g := newSegmentedRig(t)
	g.name("ann", "Ann")
	q := func(rule, segment string, profiles bool) BoardQuery {
		return BoardQuery{Rule: rule, Period: "all", Page: Page{Limit: 5}, User: "ann", Around: -1, Show: Show{segment, profiles}}
	}
	set, err := g.Several(t.Context(), org, []BoardQuery{q("lands", "", false), q("lands", "AT", true), q("ordinal", "AT", false), q("lands", "DE", false)})
	must(t, err)
	for i, want := range []struct {
		rows []string
		name string
	}{{[]string{"1 bob 9", "2 ann 6", "3 eve 5"}, ""}, {[]string{"1 bob 9", "2 ann 4"}, "Ann"}, {}, {[]string{"1 eve 5", "2 ann 2"}, ""}} {
		a := set.Boards[i]
		if want.rows == nil {
			if !errors.Is(a.Err, ErrBadParam) {
				t.Errorf("%d: %v", i, a.Err)
			}
			continue
		}
		if diff := cmp.Diff(want.rows, brief(a.Board.Rows)); diff != "" || a.Board.Rows[1].Profile.Name != want.name || a.Board.User.Profile.Name != want.name {
			t.Errorf("%d: %+v\n%s", i, a.Board.Rows, diff)
		}
	}
}

// A tag is of a segment and of what rows show.
func TestShow_Tags(t *testing.T) {
	g := newSegmentedRig(t)
	tag := func(s Show) string {
		l, err := g.With(s).Leaderboard(t.Context(), org, "lands", "all", Page{Limit: 5}, nil)
		must(t, err)
		return l.Tag
	}
	shows := []Show{{}, {Segment: "AT"}, {Segment: "DE"}, {Segment: "FR"}, {Segment: "GB"}, {Profiles: true}, {Segment: "AT", Profiles: true}}
	seen := map[string]Show{}
	for _, s := range shows {
		if other, twice := seen[tag(s)]; twice {
			t.Errorf("%+v and %+v have one tag", s, other)
		}
		seen[tag(s)] = s
	}
	g.name("ann", "Ann")
	for _, s := range shows {
		if _, same := seen[tag(s)]; same == s.Profiles {
			t.Errorf("%+v: the tag stayed %v after a change of name", s, same)
		}
	}
}

func TestProfiles_InRows(t *testing.T) {
	g := newSegmentedRig(t)
	picture := "https://x.example/bob.png"
	g.name("ann", "Ann")
	g.change("bob", ingest.UserChange{Picture: &picture})
	in := rig{Reader: g.With(Show{Profiles: true}), t: t}
	names := func(rows []Row) map[activity.User]profile.Profile {
		m := map[activity.User]profile.Profile{}
		for _, r := range rows {
			m[r.User] = r.Profile
		}
		return m
	}
	want := map[activity.User]profile.Profile{"ann": {Name: "Ann"}, "bob": {Picture: picture}, "eve": {}}
	if diff := cmp.Diff(want, names(in.page("lands", "all", Page{Limit: 5}).Rows)); diff != "" {
		t.Error(diff)
	}
	u := in.rank("lands", "all", "ann", 5)
	if diff := cmp.Diff(want, names(u.Around)); diff != "" || u.Profile.Name != "Ann" {
		t.Errorf("own %+v\n%s", u.Profile, diff)
	}
	for _, relative := range []bool{false, true} {
		ranks, err := in.Ranks(t.Context(), org, "lands", "all", []activity.User{"ann", "bob", "eve"}, relative)
		if diff := cmp.Diff(want, names(ranks.Rows)); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	plain := g.page("lands", "all", Page{Limit: 5})
	if diff := cmp.Diff(map[activity.User]profile.Profile{"ann": {}, "bob": {}, "eve": {}}, names(plain.Rows)); diff != "" {
		t.Errorf("nobody asked for them\n%s", diff)
	}
}

// A frame follows the profiles of those whom it shows, and is the same one while these stay.
func TestProfiles_InViews(t *testing.T) {
	g := newSegmentedRig(t)
	v := View{Kind: ViewTop, Rule: "lands", Period: "all", Limit: 2, Fields: []string{"profile"}}
	plain := v
	plain.Fields = nil
	first, without := g.render(v, nil), g.render(plain, nil)
	g.name("eve", "Eve") // who is not shown
	if g.render(v, first) != first {
		t.Error("another frame, though nobody whom it shows has changed")
	}
	g.name("bob", "Bob")
	second := g.render(v, first)
	if second == first || second.Rows[0].Profile.Name != "Bob" {
		t.Errorf("%+v", second.Rows)
	}
	if g.render(v, second) != second || g.render(plain, without) != without {
		t.Error("another frame of what did not change")
	}
}
