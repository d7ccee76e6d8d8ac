package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
	"laurel/ranking"
	"laurel/streaks"
)

// noon is when most of these tests happen, a Wednesday.
var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

func startOrg(t *testing.T, o store.Options) (*node, activity.Org) {
	t.Helper()
	n := startNode(t, o)
	n.set(noon)
	return n, n.publish(t, fmt.Sprintf(definitions, "org"))
}

func record(user, id string, at time.Time) oracle.Record {
	return oracle.Record{ID: id, User: user, Name: "a", At: at, Received: noon}
}

func TestSubmit_RepetitionsAndConflicts(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	one := record("u", "1", noon)
	other := one
	other.Name = "b"
	old := record("u", "old", noon.Add(-21*24*time.Hour))
	var batch []oracle.Record
	want := []string{"accepted", "id_conflict"}
	batch = append(batch, one, other)
	// More repetitions than a group is decided again after losing a race.
	for range 20 {
		batch, want = append(batch, old, one), append(want, "too_old", "duplicate")
	}
	if diff := cmp.Diff(want, statuses(n.submit(t, org, ingest.SubmitOptions{}, batch...))); diff != "" {
		t.Error(diff)
	}
}

func TestSubmit_AnIDIsRememberedPastMaxPast(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	one := record("u", "1", noon)
	other := one
	other.Name = "b"
	n.submit(t, org, ingest.SubmitOptions{}, one)
	n.set(noon.Add(20*24*time.Hour + time.Minute)) // older than max_past, not sealed yet
	got := statuses(n.submit(t, org, ingest.SubmitOptions{}, one, other, record("u", "2", noon)))
	if diff := cmp.Diff([]string{"duplicate", "id_conflict", "too_old"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSubmit_RefusalsLeaveNoTrace: what only a refused activity brought to light, a streak that has ended, must not be taken for stored.
func TestSubmit_RefusalsLeaveNoTrace(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	m := newModel(t)
	m.Records = []oracle.Record{record("u", "1", noon.Add(-24*time.Hour)), record("u", "2", noon)}
	n.submit(t, org, ingest.SubmitOptions{}, m.Records...)
	now := noon.Add(5 * 24 * time.Hour)
	n.set(now)
	if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, record("u", "late", noon.Add(-30*24*time.Hour)))); got[0] != "too_old" {
		t.Fatal(got)
	}
	again := record("u", "3", now)
	again.Received = now
	m.Records = append(m.Records, again)
	n.submit(t, org, ingest.SubmitOptions{}, again)
	n.check(t, m, org, now)
}

func TestSubmit_Effects(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	for i, user := range []string{"ann", "ann", "ann", "bob", "bob", "eve", "eve"} {
		n.submit(t, org, ingest.SubmitOptions{}, record(user, fmt.Sprint(i), noon.Add(-2*24*time.Hour+time.Duration(i)*time.Minute)))
	}
	effect := func(id string, at time.Time) ingest.Outcome {
		return n.submit(t, org, ingest.SubmitOptions{Effects: true}, record("eve", id, at)).Outcomes[0]
	}
	boards := func(o ingest.Outcome) map[string][3]int {
		all := map[string][3]int{}
		for _, b := range o.Effects.Boards {
			all[b.Rule+"/"+b.Label] = [3]int{int(b.Value), b.RankBefore, b.Rank}
		}
		return all
	}
	// Equal values share a rank: bob and eve were second, and eve comes to ann's three. Tuesday was missed, so the streak begins anew.
	got := effect("8", noon)
	want := map[string][3]int{
		"count/all": {3, 2, 1}, "count/2026-03-18": {1, 0, 1}, "count/2026-W12": {3, 2, 1},
		"daily.current/all": {1, 0, 1},
	}
	if diff := cmp.Diff(want, boards(got)); diff != "" {
		t.Error(diff)
	}
	find := func(o ingest.Outcome, rule string) ingest.StreakEffect {
		for _, s := range o.Effects.Streaks {
			if s.Rule == rule {
				return s
			}
		}
		return ingest.StreakEffect{}
	}
	if diff := cmp.Diff(ingest.StreakEffect{Rule: "daily", Current: 1, Longest: 1, Extended: true, State: streaks.Active}, find(got, "daily")); diff != "" {
		t.Error("a streak that had ended begins anew: ", diff)
	}
	if s := find(effect("9", noon), "daily"); s.Extended || s.Current != 1 {
		t.Errorf("the second activity of a day extends nothing: %+v", s)
	}
	if s := find(effect("10", noon.Add(-24*time.Hour)), "daily"); !s.Extended || s.Current != 3 {
		t.Errorf("a late activity that joins on extends: %+v", s)
	}
	if o := effect("10", noon.Add(-24*time.Hour)); o.Status != ingest.StatusDuplicate || o.Effects != nil {
		t.Errorf("a repetition has no effects: %+v", o)
	}
}

// TestSubmit_RankBefore compares the rank before with the one that a board without the activity gives.
func TestSubmit_RankBefore(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	values := []float64{5, 5, 7, 7, 7, 2, 9, -1, 0, 5}
	value := func(user int, id string, v float64) oracle.Record {
		r := record(fmt.Sprint("u", user), id, noon.Add(time.Duration(user)*time.Second-time.Hour))
		r.Name, r.Value, r.HasValue = "c", v, true
		return r
	}
	for i, v := range values {
		n.submit(t, org, ingest.SubmitOptions{}, value(i, "first", v))
	}
	rank := func(user int) int {
		b, err := n.boards.Open(t.Context(), feed.Board{Org: org, Rule: "sum", Label: "all"}, ranking.Descending)
		if err != nil {
			t.Fatal(err)
		}
		place := 0
		b.View(func(x *ranking.Index, _ uint64) {
			place, _ = x.Rank(activity.User(fmt.Sprint("u", user)), ranking.Dense)
		})
		return place
	}
	for i, change := range []float64{0, -3, 4, 2, -9, 5, -2, 8, 1, -5} {
		before := rank(i)
		o := n.submit(t, org, ingest.SubmitOptions{Effects: true}, value(i, "second", change)).Outcomes[0]
		for _, b := range o.Effects.Boards {
			if b.Rule == "sum" && b.Label == "all" && (b.RankBefore != before || b.Rank != rank(i)) {
				t.Errorf("user %d, %+v: rank %d from %d, want %d from %d", i, change, b.Rank, b.RankBefore, rank(i), before)
			}
		}
	}
}

func TestSubmit_Overload(t *testing.T) {
	n, start := newNode(t, embedded(t, 1), 3)
	n.set(noon)
	org := n.publish(t, fmt.Sprintf(definitions, "org"))
	done := make(chan error, 1)
	go func() {
		r, err := n.Submit(context.Background(), org, items(record("u", "1", noon), record("u", "2", noon)), ingest.SubmitOptions{})
		if err == nil && r.Accepted != 2 {
			err = fmt.Errorf("%+v", r)
		}
		done <- err
	}()
	for n.Waiting() < 2 {
		runtime.Gosched()
	}
	if _, err := n.Submit(t.Context(), org, items(record("u", "3", noon), record("u", "4", noon)), ingest.SubmitOptions{}); !errors.Is(err, ingest.ErrOverloaded) {
		t.Errorf("past the limit: %v", err)
	}
	start()
	if err := <-done; err != nil {
		t.Errorf("what waited: %v", err)
	}
	if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, record("u", "3", noon))); got[0] != "accepted" {
		t.Errorf("what was turned away, again: %v", got)
	}
}

func TestSubmit_UnknownUser(t *testing.T) {
	n := startNode(t, embedded(t, 1))
	n.set(noon)
	closed := n.publish(t, strings.Replace(fmt.Sprintf(definitions, "closed"), "    limits:", "    users: {auto_create: false}\n    limits:", 1))
	r := n.submit(t, closed, ingest.SubmitOptions{}, record("u", "1", noon))
	if diff := cmp.Diff([]string{"user_not_found"}, statuses(r)); diff != "" {
		t.Error(diff)
	}
	if _, err := n.State(t.Context(), closed, "u"); !errors.Is(err, ingest.ErrUserNotFound) {
		t.Errorf("the user is there now: %v", err)
	}
	if _, err := n.Reject(t.Context(), closed, "u", "1", ""); !errors.Is(err, ingest.ErrUserNotFound) {
		t.Errorf("reject: %v", err)
	}
	zone := "UTC"
	if err := n.SetUser(t.Context(), closed, "u", ingest.UserChange{Zone: &zone}); !errors.Is(err, ingest.ErrUserNotFound) {
		t.Errorf("zone: %v", err)
	}
}

// TestReject_ManyAtOnce: commands wait in one queue and are decided one after the other, which is no conflict.
func TestReject_ManyAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startOrg(t, o)
		m := newModel(t)
		for i := range 40 {
			m.Records = append(m.Records, record("u", fmt.Sprint(i), noon.Add(-time.Duration(i)*7*time.Hour)))
		}
		n.submit(t, org, ingest.SubmitOptions{}, m.Records...)
		var g sync.WaitGroup
		for i := range 30 {
			m.Records[i].Rejected = true
			g.Go(func() {
				for range 2 { // the second time changes nothing
					a, err := n.Reject(context.Background(), org, "u", activity.ID(m.Records[i].ID), "why")
					if err != nil || a.Status != activity.Rejected || a.Reason != "why" {
						t.Errorf("%+v, %v", a, err)
					}
				}
			})
		}
		g.Wait()
		n.check(t, m, org, noon)
		if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, m.Records[0])); got[0] != "duplicate" {
			t.Errorf("a rejected id again: %v", got)
		}
		n.check(t, m, org, noon)
		if _, err := n.Reject(t.Context(), org, "u", "never", ""); !errors.Is(err, ingest.ErrActivityNotFound) {
			t.Errorf("unknown id: %v", err)
		}
	})
}

func TestImport(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	m := newModel(t)
	i, err := n.CreateImport(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	o := ingest.SubmitOptions{Import: i.ID}
	for k := range 50 {
		r := record("u", fmt.Sprint(k), noon.Add(-time.Duration(k)*5*24*time.Hour))
		r.Imported = true
		m.Records = append(m.Records, r)
	}
	n.submit(t, org, o, m.Records[25:]...)
	n.submit(t, org, o, m.Records[:30]...)
	n.check(t, m, org, noon)
	if i, err = n.CloseImport(t.Context(), org, i.ID); err != nil || i.Accepted != 50 || i.Duplicates != 5 || i.State != ingest.ImportClosed {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := n.Submit(t.Context(), org, items(m.Records[0]), o); !errors.Is(err, ingest.ErrImportClosed) {
		t.Errorf("into a closed import: %v", err)
	}
	if _, err := n.Submit(t.Context(), org, items(m.Records[0]), ingest.SubmitOptions{Import: "x"}); !errors.Is(err, ingest.ErrImportNotFound) {
		t.Errorf("into none: %v", err)
	}
}

// TestFolding moves the clock on until activities are sealed: nothing on the boards changes, ids are forgotten, and what is sealed stays.
func TestFolding(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startOrg(t, o)
		m := newModel(t)
		now := noon
		for k := range 60 {
			now = noon.Add(time.Duration(k) * 18 * time.Hour)
			n.set(now)
			r := oracle.Record{ID: fmt.Sprint(k), User: "u", Name: "a", At: now.Add(-time.Duration(k%5) * 26 * time.Hour), Received: now,
				Value: float64(k%7) - 2, HasValue: k%3 > 0, Meta: map[string]any{"n": float64(k%4 - 1), "tag": string(rune('a' + k%9))}}
			if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, r)); got[0] != "accepted" {
				t.Fatalf("%v: %v", r, got)
			}
			m.Records = append(m.Records, r)
			n.check(t, m, org, now)
		}
		s, err := n.State(t.Context(), org, "u")
		if err != nil || s.Sealed == 0 {
			t.Fatalf("nothing was sealed: %v", err)
		}
		_, log, err := n.Base(t.Context(), org, "u")
		if err != nil || len(log) > 40 {
			t.Errorf("the log still has %d of 60 activities; %v", len(log), err)
		}
		if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, m.Records[0])); got[0] != "too_old" {
			t.Errorf("a sealed id again: %v", got)
		}
		if _, err := n.Reject(t.Context(), org, "u", "0", ""); !errors.Is(err, ingest.ErrSealed) {
			t.Errorf("reject of a sealed one: %v", err)
		}
		i, err := n.CreateImport(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(n.submit(t, org, ingest.SubmitOptions{Import: i.ID}, record("u", "x", s.Sealed.Time().Add(-time.Hour)))); got[0] != "too_old" {
			t.Errorf("an import below the seal: %v", got)
		}
		m.Records[55].Rejected = true
		if _, err := n.Reject(t.Context(), org, "u", "55", ""); err != nil {
			t.Error(err)
		}
		n.check(t, m, org, now)
	})
}

// TestCatalogChange: a user's state is folded anew under another catalog as soon as something happens to the user, also where a streak has more
// conditions than before.
func TestCatalogChange(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	m := newModel(t)
	for k := range 20 {
		r := record("u", fmt.Sprint(k), noon.Add(-time.Duration(k)*11*time.Hour))
		r.Meta = map[string]any{"n": float64(k % 3)}
		m.Records = append(m.Records, r)
	}
	// First the org counts something else, with one condition where there will be two.
	before := fmt.Sprintf(definitions, "org")
	before = strings.Replace(before, "{id: count, when: {name: a}", "{id: count, when: {name: b}", 1)
	before = strings.Replace(before, "{id: points, all: [{when: {}, value: {sum: meta.n}, at_least: 5}]", "{id: points, any: [{when: {}, value: count, at_least: 9}, {when: {name: b}, value: count, at_least: 1}]", 1)
	n.publish(t, before)
	n.submit(t, org, ingest.SubmitOptions{}, m.Records...)
	n.publish(t, fmt.Sprintf(definitions, "org"))
	// A refused activity is no touch, and must not hide that the state is an old one.
	n.submit(t, org, ingest.SubmitOptions{}, record("u", "old", noon.Add(-40*24*time.Hour)))
	last := record("u", "last", noon)
	m.Records = append(m.Records, last)
	n.submit(t, org, ingest.SubmitOptions{}, last)
	n.check(t, m, org, noon)
	n.publish(t, before)
	n.publish(t, fmt.Sprintf(definitions, "org"))
	m.Records[3].Rejected = true
	if _, err := n.Reject(t.Context(), org, "u", "3", ""); err != nil {
		t.Fatal(err)
	}
	n.check(t, m, org, noon)
}
