package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
)

// life is a few users of an org, on nodes that share a store, beside what the model says of them. What is done, is done by one node after the other, so
// that each finds in its cache what is no longer true.
type life struct {
	t      *rapid.T
	nodes  []*node
	again  func(now time.Time) []*node // stops all nodes and starts them on what is stored; nil: cannot
	org    activity.Org
	begin  time.Time
	now    time.Time
	model  *oracle.Model
	exists map[string]bool
	sealed map[string]time.Time
	blocks map[string]bool
	merged map[string]string
}

var lifeUsers = []string{"ann", "bob", "eve", "zoë:1"}

// lifeDays is how long a life may last: long enough that logs, which keep 20 days, are folded.
const lifeDays = 70

func (l *life) node() *node { return l.nodes[rapid.IntRange(0, len(l.nodes)-1).Draw(l.t, "node")] }

func (l *life) user() string { return rapid.SampledFrom(lifeUsers).Draw(l.t, "user") }

// record makes the i-th activity there is: it has the same id and at whoever sends it and however often, and one of two payloads.
func (l *life) record(user string, i int) oracle.Record {
	at := l.begin.Add(time.Duration(i) * lifeDays * 24 * time.Hour / 240)
	r := oracle.Record{ID: fmt.Sprint("i", i), User: user, Name: []string{"a", "a", "b", "c"}[i%4],
		At:   at.In(time.FixedZone("", 3600*[]int{0, -8, 10}[i%3])),
		Meta: map[string]any{"n": float64(i%7 - 2)}, HasValue: i%5 > 0}
	if r.HasValue {
		r.Value = []float64{0, 1, -1.005, 7.25}[i/3%4]
	}
	if i%2 > 0 {
		r.Meta["tag"] = string("xyz"[i%3])
	}
	if rapid.IntRange(0, 5).Draw(l.t, "other payload") == 0 {
		r.Meta["n"] = float64(9)
	}
	return r
}

// expect is what must become of a record that comes now.
func (l *life) expect(r *oracle.Record) string {
	for i := range l.model.Records {
		if have := &l.model.Records[i]; have.User == r.User && have.ID == r.ID && !have.At.Before(l.sealed[r.User]) {
			if have.Meta["n"] == r.Meta["n"] {
				return ingest.StatusDuplicate
			}
			return "id_conflict"
		}
	}
	switch {
	case r.At.After(l.now.Add(5 * time.Minute)):
		return "in_future"
	case r.At.Before(l.sealed[r.User]) || !r.Imported && r.At.Before(l.now.Add(-20*24*time.Hour)):
		return "too_old"
	case l.blocks[r.User]:
		return ingest.StatusIgnored
	}
	return ingest.StatusAccepted
}

func (l *life) submit() {
	n := l.node()
	var o ingest.SubmitOptions
	if rapid.IntRange(0, 4).Draw(l.t, "import") == 0 {
		i, err := n.CreateImport(context.Background(), l.org)
		if err != nil {
			l.t.Fatal(err)
		}
		o.Import = i.ID
	}
	var batch []oracle.Record
	last := int(l.now.Sub(l.begin) / (lifeDays * 24 * time.Hour / 240))
	for range rapid.IntRange(1, 8).Draw(l.t, "size") {
		r := l.record(l.user(), rapid.IntRange(max(0, last-40), last).Draw(l.t, "activity"))
		r.Received, r.Imported = l.now, o.Import != ""
		// What comes by two names has no order to promise.
		if !slices.ContainsFunc(batch, func(b oracle.Record) bool {
			return b.ID == r.ID && b.User != r.User && l.last(b.User) == l.last(r.User)
		}) {
			batch = append(batch, r)
		}
	}
	report, err := n.Submit(context.Background(), l.org, items(batch...), o)
	if err != nil {
		l.t.Fatal(err)
	}
	for i, got := range statuses(report) {
		r := batch[i]
		r.User = l.last(r.User)
		want := l.expect(&r)
		if got != want {
			l.t.Fatalf("%v at %v: %q, want %q; sealed %v", r, l.now, got, want, l.sealed[r.User])
		}
		if r.Ignored = want == ingest.StatusIgnored; r.Ignored || want == ingest.StatusAccepted {
			l.model.Records = append(l.model.Records, r)
			l.exists[r.User] = true
		}
	}
}

// wants checks a command's answer.
func (l *life) wants(what string, err, want error) (done bool) {
	if !errors.Is(err, want) {
		l.t.Fatalf("%s: %v, want %v", what, err, want)
	}
	return want == nil
}

// last is the user for whom a name stands.
func (l *life) last(user string) string {
	for l.merged[user] != "" {
		user = l.merged[user]
	}
	return user
}

// unknown is what a command answers for a user who cannot be found.
func (l *life) unknown(user string) error {
	switch {
	case l.merged[user] != "":
		return ingest.ErrUserMerged
	case !l.exists[user]:
		return ingest.ErrUserNotFound
	}
	return nil
}

func (l *life) forget(user string) {
	delete(l.exists, user)
	delete(l.sealed, user)
	delete(l.blocks, user)
}

func (l *life) erase() {
	user := l.user()
	if !l.wants("delete", l.node().Delete(context.Background(), l.org, activity.User(user)), l.unknown(user)) {
		return
	}
	l.model.Delete(user)
	for _, from := range lifeUsers {
		if l.last(from) == user {
			l.forget(from)
			defer delete(l.merged, from)
		}
	}
}

// unmergeable is what Merge answers.
func (l *life) unmergeable(from, into string) error {
	switch {
	case from == into:
		return ingest.ErrSameUser
	case l.unknown(into) != nil:
		return l.unknown(into)
	case l.merged[from] == into:
		return nil
	case l.unknown(from) != nil:
		return l.unknown(from)
	case l.sealed[from].After(l.begin):
		return ingest.ErrSealed
	}
	for _, r := range l.model.Records {
		if r.User == from && r.At.Before(l.sealed[into]) {
			return ingest.ErrSealed
		}
	}
	return nil
}

// merge merges; what stops in the middle is carried on by whichever node looks.
func (l *life) merge() {
	from, into := l.user(), l.user()
	want := l.unmergeable(from, into)
	steps := rapid.IntRange(0, 6).Draw(l.t, "steps taken")
	if want != nil || l.merged[from] != "" || steps == 0 || steps > 4 {
		if l.wants("merge", l.node().Merge(context.Background(), l.org, activity.User(from), activity.User(into)), want) && l.merged[from] == "" {
			l.arrive(from, into)
		}
		return
	}
	all := l.node().MergeSteps(context.Background(), l.org, activity.User(from), activity.User(into))
	for i, step := range all[:steps] {
		if err := step(); err != nil {
			l.t.Fatalf("step %d: %v", i, err)
		}
	}
	if l.again != nil {
		l.nodes = l.again(l.now)
	}
	if steps == 1 {
		l.now = l.now.Add(6 * time.Minute)
		return
	}
	l.arrive(from, into)
	if err := l.node().SweepNow(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) arrive(from, into string) {
	l.model.Merge(from, into)
	l.forget(from)
	l.exists[from] = true
	l.merged[from] = into
}

func (l *life) flip() {
	if len(l.model.Records) == 0 {
		return
	}
	r := &l.model.Records[rapid.IntRange(0, len(l.model.Records)-1).Draw(l.t, "flipped")]
	var want error
	if r.At.Before(l.sealed[r.User]) {
		want = ingest.ErrSealed
	}
	var err error
	if r.Rejected {
		_, err = l.node().Restore(context.Background(), l.org, activity.User(r.User), activity.ID(r.ID))
	} else {
		_, err = l.node().Reject(context.Background(), l.org, activity.User(r.User), activity.ID(r.ID), "test")
	}
	if l.wants("flip", err, want) {
		r.Rejected = !r.Rejected
	}
}

func (l *life) zone() {
	user, zone := l.user(), rapid.SampledFrom([]string{"America/New_York", "Pacific/Auckland"}).Draw(l.t, "zone")
	if !l.wants("zone", l.node().SetUser(context.Background(), l.org, activity.User(user), ingest.UserChange{Zone: &zone}), l.unknown(user)) {
		return
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		l.t.Fatal(err)
	}
	if have := l.model.Zones[user]; len(have) == 0 || have[len(have)-1].Zone.String() != zone {
		l.model.Zones[user] = append(have, oracle.ZoneChange{At: l.now, Zone: loc})
	}
}

func (l *life) flag() {
	user, n, ctx := l.user(), l.node(), context.Background()
	set, flags := n.Hide, l.model.Hidden
	on := rapid.Bool().Draw(l.t, "on")
	switch block := rapid.Bool().Draw(l.t, "block"); {
	case block && on:
		set, flags = n.Block, l.blocks
	case block:
		set, flags = n.Unblock, l.blocks
	case !on:
		set = n.Unhide
	}
	if l.wants("flag", set(ctx, l.org, activity.User(user)), l.unknown(user)) {
		flags[user] = on
	}
}

// step does one thing.
func (l *life) step() {
	switch rapid.IntRange(0, 16).Draw(l.t, "step") {
	case 0, 1:
		l.flag()
	case 2:
		l.flip()
	case 3:
		l.zone()
	case 4:
		l.erase()
	case 5, 6:
		l.merge()
	case 7:
		if l.again != nil {
			l.nodes = l.again(l.now)
			l.tell()
		}
	default:
		l.submit()
	}
}

// tell gives the nodes the time, and takes down what is sealed: that is for each writer to choose within its bounds.
func (l *life) tell() {
	for _, n := range l.nodes {
		n.set(l.now)
	}
	for _, u := range lifeUsers {
		s, err := l.nodes[0].State(context.Background(), l.org, activity.User(u))
		if l.wants("state", err, l.unknown(u)); err == nil {
			l.sealed[u] = s.Sealed.Time()
			if l.sealed[u].After(l.now.Add(-20 * 24 * time.Hour)) {
				l.t.Fatalf("%s is sealed up to %v, now is %v", u, l.sealed[u], l.now)
			}
			if s.Hidden != l.model.Hidden[u] || s.Blocked != l.blocks[u] {
				l.t.Fatalf("%s: hidden %v, blocked %v; want %v, %v", u, s.Hidden, s.Blocked, l.model.Hidden[u], l.blocks[u])
			}
		}
	}
}

// check compares all boards, as stored and as every node has them.
func (l *life) check() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := l.nodes[0].SweepNow(ctx); err != nil {
		l.t.Fatal(err)
	}
	for _, n := range l.nodes {
		for _, other := range l.nodes {
			if err := n.boards.WaitFor(ctx, other.boards.Revision()); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	for _, n := range l.nodes {
		n.check(l.t, l.model, l.org, l.now)
	}
}

func (l *life) run() {
	for range rapid.IntRange(1, 25).Draw(l.t, "steps") {
		l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1, 10, 10, 50, 140}).Draw(l.t, "hours")) * time.Hour)
		l.tell()
		l.step()
		l.tell()
		if rapid.IntRange(0, 3).Draw(l.t, "check") == 0 {
			l.check()
		}
	}
	l.check()
}

// TestUsers_EqualTheModel: whatever is done to users, in whatever order with activities, late ones, undo, folding, restarts and by whichever node, all
// boards are the model's.
func TestUsers_EqualTheModel(t *testing.T) {
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var orgs atomic.Int64
	play := func(t *testing.T, nodes []*node, again func(time.Time) []*node) {
		rapid.Check(t, func(rt *rapid.T) {
			l := &life{t: rt, nodes: nodes, begin: begin, now: begin, model: newModel(rt), exists: map[string]bool{},
				sealed: map[string]time.Time{}, blocks: map[string]bool{}, merged: map[string]string{}}
			if again != nil {
				l.again = func(now time.Time) []*node { nodes = again(now); return nodes }
			}
			l.org = nodes[0].publish(rt, fmt.Sprintf(definitions, fmt.Sprint("org", orgs.Add(1))))
			for _, n := range nodes[1:] {
				if _, err := n.registry.Reload(context.Background(), l.org); err != nil {
					rt.Fatal(err)
				}
			}
			l.run()
		})
	}
	t.Run("embedded", func(t *testing.T) {
		o := embedded(t, 2)
		n := startNode(t, o)
		play(t, []*node{n}, func(now time.Time) []*node {
			n.stop()
			var start func()
			n, start = newNode(t, o, 0)
			n.set(now) // before its sweepers look
			start()
			if err := n.registry.Load(context.Background()); err != nil {
				t.Fatal(err)
			}
			return []*node{n}
		})
	})
	eachServer(t, 2, func(t *testing.T, o store.Options) {
		play(t, []*node{startNode(t, o), startNode(t, o)}, nil)
	})
}
