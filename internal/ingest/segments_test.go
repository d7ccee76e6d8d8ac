package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

const segmented = `
orgs:
  - id: org
    limits: {segments: 3}
    rules:
      - {id: r, when: {name: a}, value: count, cycles: [all], segment_by: user.land}
      - {id: plain, when: {name: a}, value: count, cycles: [all]}
`

// values are the users on a board and their values.
func (n *node) values(t *testing.T, org activity.Org, rule string) map[string]int64 {
	t.Helper()
	b, err := n.boards.Open(t.Context(), feed.Board{Org: org, Rule: rule, Label: "all"}, ranking.Descending)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	b.View(func(x *ranking.Index, _ uint64) {
		for _, r := range x.Range(nil, 0, x.Len(), ranking.Ordinal) {
			rows[string(r.User)] = r.Value
		}
	})
	return rows
}

func (n *node) move(t *testing.T, org activity.Org, user activity.User, land string) {
	t.Helper()
	n.setUser(t, org, user, ingest.UserChange{Attributes: map[string]*string{"land": &land}})
}

func did(id, user string, at time.Time) oracle.Record {
	return oracle.Record{ID: id, User: user, Name: "a", At: at}
}

// Who moves takes nothing along; what was before the attribute counts for everyone's board alone.
func TestSegments_AMoveChangesNothingBefore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n := startNode(t, o)
		org := n.publish(t, segmented)
		now := time.Now().Truncate(time.Second)
		for i, land := range []string{"", "AT", "AT", "DE", "not a segment", ""} {
			if land != "" {
				n.move(t, org, "ann", land)
			}
			n.submit(t, org, ingest.SubmitOptions{}, did(fmt.Sprint(i), "ann", now.Add(-time.Duration(i)*time.Minute)))
		}
		want := map[string]map[string]int64{"r": {"ann": 6}, "plain": {"ann": 6}, "r@AT": {"ann": 2}, "r@DE": {"ann": 1}, "r@not a segment": {}}
		got := map[string]map[string]int64{}
		for rule := range want {
			got[rule] = n.values(t, org, rule)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := n.Reject(t.Context(), org, "ann", "2", ""); err != nil {
			t.Fatal(err)
		}
		if got := n.values(t, org, "r@AT"); got["ann"] != 1 {
			t.Errorf("after a reject: %v", got)
		}
		a, err := n.Activity(t.Context(), org, "ann", "3")
		if diff := cmp.Diff([]activity.Attribute{{Name: "land", Value: "DE"}}, a.Attributes); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		known, err := n.Segments(t.Context(), org, "land")
		if diff := cmp.Diff([]string{"AT", "DE"}, known); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// However many nodes meet however many values at once: as many as the limit allows have boards, and what counts there was recorded.
func TestSegments_Limit(t *testing.T) {
	t.Parallel()
	o := store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 3}
	a, b := startNode(t, o), startNode(t, o)
	org := a.publish(t, segmented)
	if _, err := b.registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var g errgroup.Group
	for i := range 24 {
		n := []*node{a, b}[i%2]
		user, land := fmt.Sprint("u", i), fmt.Sprint("L", i%8)
		g.Go(func() error {
			err := n.SetUser(context.Background(), org, activity.User(user), ingest.UserChange{Create: true, Attributes: map[string]*string{"land": &land}})
			if err != nil {
				return err
			}
			r, err := n.Submit(context.Background(), org, items(did("1", user, now)), ingest.SubmitOptions{})
			if err == nil && r.Accepted != 1 {
				err = fmt.Errorf("%+v", r)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	a.catchUp(t, b)
	b.catchUp(t, a)
	for _, n := range []*node{a, b} {
		known, err := n.Segments(t.Context(), org, "land")
		if err != nil || len(known) != 3 {
			t.Fatalf("%v, %v", known, err)
		}
		if len(n.values(t, org, "r")) != 24 {
			t.Error("not everyone is on the board of everyone")
		}
		for i := range 8 {
			land := fmt.Sprint("L", i)
			want := map[string]int64{}
			for u := range 24 {
				if u%8 == i && slices.Contains(known, land) {
					want[fmt.Sprint("u", u)] = 1
				}
			}
			if diff := cmp.Diff(want, n.values(t, org, "r@"+land)); diff != "" {
				t.Errorf("%s, known are %v\n%s", land, known, diff)
			}
		}
	}
	land := "L9"
	a.move(t, org, "late", land)
	a.submit(t, org, ingest.SubmitOptions{}, did("1", "late", now))
	got, err := a.Activity(t.Context(), org, "late", "1")
	if err != nil || len(got.Attributes) != 0 {
		t.Errorf("beyond the limit %v was recorded, %v", got, err)
	}
}

// Publishing segment_by fills the boards from what activities recorded: of those that came before, nothing.
func TestSegments_PublishedLater(t *testing.T) {
	n := startNode(t, embedded(t, 2))
	org := n.publish(t, strings.Replace(segmented, ", segment_by: user.land}", "}\n      - {id: q, when: {name: b}, value: count, cycles: [all], segment_by: user.land}", 1))
	n.move(t, org, "ann", "AT")
	now := time.Now().Truncate(time.Second)
	n.submit(t, org, ingest.SubmitOptions{}, did("1", "ann", now)) // records what q segments by
	n.publish(t, strings.Replace(segmented, "user.land", "user.team", 1))
	team := "red"
	n.setUser(t, org, "ann", ingest.UserChange{Attributes: map[string]*string{"team": &team}})
	n.submit(t, org, ingest.SubmitOptions{}, did("2", "ann", now))
	n.publish(t, segmented)
	if err := n.BackfillNow(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]int64{"r": n.values(t, org, "r"), "r@AT": n.values(t, org, "r@AT"), "r@red": n.values(t, org, "r@red")}
	if diff := cmp.Diff(map[string]map[string]int64{"r": {"ann": 2}, "r@AT": {"ann": 1}, "r@red": {}}, got); diff != "" {
		t.Error(diff)
	}
}
