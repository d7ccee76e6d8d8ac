package ingest_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

const streakDefinitions = `
orgs:
  - id: %s
    timezone: Europe/Berlin
    streaks:
      - {id: daily, when: {name: a}, unit: day, timezone: event, grace: 4h, at_risk: 5h, freezes: {initial: 1, earn_every: 3, max: 2}, restore_window: 6d}
      - {id: mine, when: {}, unit: day, grace: 3h, at_risk: 6h, user_target: {max: 2}, freezes: {earn_every: 2, max: 3}, restore_window: 10d}
      - {id: slow, when: {}, unit: day, timezone: org, active_days: [mon, tue, wed, thu, fri], on_miss: {decay: 1}}
      - {id: weekly, when: {}, unit: week, target: 2, timezone: org, at_risk: 30h, restore_window: 20d}
`

func streaksOfLives() []oracle.Streak {
	count := func(n int64, names string) []oracle.Condition {
		c := oracle.Condition{Selector: oracle.Selector{Fold: "count"}, AtLeast: n}
		if names != "" {
			c.Match = inNames(names)
		}
		return []oracle.Condition{c}
	}
	day := oracle.Cycle{Unit: "day"}
	return []oracle.Streak{
		{ID: "daily", Conditions: count(1, "a"), Unit: day, Mode: "event", Grace: 4 * time.Hour, AtRisk: 5 * time.Hour, Freezes: oracle.Freezes{Initial: 1, EarnEvery: 3, Max: 2}},
		{ID: "mine", Conditions: count(1, ""), Unit: day, Mode: "user", Grace: 3 * time.Hour, AtRisk: 6 * time.Hour, MaxTarget: 2, Freezes: oracle.Freezes{EarnEvery: 2, Max: 3}},
		{ID: "slow", Conditions: count(1, ""), Unit: day, Mode: "org", OnMiss: "decay", Decay: 1,
			ActiveDays: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}},
		{ID: "weekly", Conditions: count(2, ""), Unit: oracle.Cycle{Unit: "week"}, Mode: "org", AtRisk: 30 * time.Hour},
	}
}

// streakLife is a few users with streaks, on two nodes of which one's clock is behind. They may be one, whose clock is put back now and then.
type streakLife struct {
	t      *rapid.T
	nodes  []*node
	behind time.Duration
	org    activity.Org
	now    time.Time
	model  *oracle.Model
	rules  []oracle.Streak
	read   map[store.Partition]feed.Position // of the outbox
	// since is, by user, up to when what time did is decided: by a node whose clock is behind, less than it was. told is the last of it that was told.
	since, told map[string]time.Time
	// warned are the periods, by user and rule, of which was told that they are at risk.
	warned map[streakKey]map[string]bool
	// shown is the current length that events have told, by user and rule; not there where something was not told.
	shown map[streakKey]int
	n     int
}

type streakKey struct{ user, rule string }

// streakEvent is an event as readers get it.
type streakEvent struct {
	Type, Rule, Period, User  string
	At                        time.Time
	Current, Previous, Length int
	Returned                  int `json:"freezes_returned"`
}

var streakUsers = []string{"ann", "bob", "zoë:1"}

func (l *streakLife) tell(now time.Time) {
	l.now = now
	l.nodes[1].set(now.Add(-l.behind))
	l.nodes[0].set(now) // which may be the same
}

// events reads what has come into the outboxes since it was read last, by user and rule.
func (l *streakLife) events() map[streakKey][]streakEvent {
	out := map[streakKey][]streakEvent{}
	for p := range l.nodes[0].store.Partitions() {
		part := store.Partition(p)
		events, err := l.nodes[0].store.Events(context.Background(), part, l.read[part], 100_000)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, e := range events {
			l.read[part] = e.ID
			if e.Org != l.org {
				continue
			}
			var s streakEvent
			if err := json.Unmarshal(e.Body, &s); err != nil {
				l.t.Fatal(err)
			}
			key := streakKey{s.User, s.Rule}
			out[key] = append(out[key], s)
		}
	}
	return out
}

// sweep lets both nodes sweep at once: what time did since the step before is told once, and is what the model says.
func (l *streakLife) sweep() {
	want := map[streakKey][]oracle.Event{}
	for _, u := range streakUsers {
		for i := range l.rules {
			key := streakKey{u, l.rules[i].ID}
			if events := l.firstWarnings(key, l.model.Events(&l.rules[i], u, l.since[u], l.now)); len(events) > 0 {
				want[key] = events
			}
		}
	}
	var g errgroup.Group
	for _, n := range l.nodes {
		g.Go(func() error { return n.SweepNow(context.Background()) })
	}
	if err := g.Wait(); err != nil {
		l.t.Fatal(err)
	}
	got := map[streakKey][]oracle.Event{}
	for key, events := range l.events() {
		for _, e := range events {
			length := e.Current
			if e.Type == "streak.lost" {
				length = e.Length
			}
			got[key] = append(got[key], oracle.Event{Type: e.Type[len("streak."):], At: e.At, Period: e.Period, Length: length, Returned: e.Returned})
			l.shown[key] = e.Current
			if e.At.After(l.told[key.user]) {
				l.told[key.user] = e.At
			}
		}
	}
	if diff := gocmp.Diff(want, got, gocmp.Comparer(time.Time.Equal)); diff != "" {
		l.fatalf("what time did from %v to %v (-model +outbox)\n%s", l.since, l.now, diff)
	}
	for _, u := range streakUsers {
		l.since[u] = l.now
	}
}

// firstWarnings leaves out, of events that the model knows one step of, that a period is at risk which was so before.
func (l *streakLife) firstWarnings(key streakKey, events []oracle.Event) []oracle.Event {
	if l.warned[key] == nil {
		l.warned[key] = map[string]bool{}
	}
	return slices.DeleteFunc(events, func(e oracle.Event) bool {
		if e.Type != "at_risk" {
			return false
		}
		again := l.warned[key][e.Period]
		l.warned[key][e.Period] = true
		return again
	})
}

func (l *streakLife) fatalf(format string, args ...any) {
	l.t.Helper()
	records := slices.Clone(l.model.Records)
	slices.SortFunc(records, func(a, b oracle.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, r := range records {
		l.t.Log(r.User, r.ID, r.Name, r.At, "rejected", r.Rejected)
	}
	l.t.Fatalf(format, args...)
}

// step does one thing to one user on one node.
func (l *streakLife) step() {
	which := rapid.IntRange(0, 1).Draw(l.t, "node")
	n := l.nodes[which]
	user := rapid.SampledFrom(streakUsers).Draw(l.t, "user")
	u, ctx := activity.User(user), context.Background()
	rule := l.rules[rapid.IntRange(0, len(l.rules)-1).Draw(l.t, "rule")].ID
	if which == 1 { // the clock of the only node is put back for the step, as if another one did it
		n.set(l.now.Add(-l.behind))
		defer l.catchUp(l.versions())
	}
	var err error
	switch rapid.IntRange(0, 16).Draw(l.t, "step") {
	case 0:
		_, err = n.GrantFreezes(ctx, l.org, u, rule, rapid.IntRange(1, 3).Draw(l.t, "granted"))
	case 1, 2:
		err = n.RestoreStreak(ctx, l.org, u, rule, "support")
	case 3:
		var target *int64
		if own := rapid.Int64Range(0, 2).Draw(l.t, "own"); own > 0 {
			target = &own
		}
		err = n.SetStreak(ctx, l.org, u, "mine", ingest.StreakChange{SetTarget: true, Target: target})
	case 4:
		out := rapid.IntRange(0, 2).Draw(l.t, "out") == 0
		err = n.SetStreak(ctx, l.org, u, rule, ingest.StreakChange{OptedOut: &out})
	case 5:
		from := calendar.DateOf(l.now.Date()) + calendar.Date(rapid.IntRange(0, 2).Draw(l.t, "from"))
		_, err = n.Pause(ctx, l.org, u, from, from+calendar.Date(rapid.IntRange(0, 3).Draw(l.t, "dates")))
	case 6:
		err = n.Unpause(ctx, l.org, u, uint32(rapid.IntRange(1, 3).Draw(l.t, "pause")))
	case 7:
		zone := rapid.SampledFrom([]string{"America/New_York", "Pacific/Auckland", "Asia/Tokyo"}).Draw(l.t, "zone")
		err = n.SetUser(ctx, l.org, u, ingest.UserChange{Zone: &zone})
	case 8, 9:
		l.flip(n)
	default:
		l.submit(n, user)
	}
	l.refused(err)
	l.take(n, user)
}

// versions are those of the users' states.
func (l *streakLife) versions() map[string]store.Version {
	of := map[string]store.Version{}
	for _, user := range streakUsers {
		s, u := l.nodes[0].store, activity.User(user)
		docs, err := s.Docs(context.Background(), []store.Key{store.StateKey(s.PartitionOf(l.org, u), l.org, u)})
		if err != nil {
			l.t.Fatal(err)
		}
		of[user] = docs[0].Version
	}
	return of
}

// catchUp follows a step of the node whose clock is behind: for whom it wrote, what was between the two clocks comes now, but what was told is not told again.
func (l *streakLife) catchUp(before map[string]store.Version) {
	for user, version := range l.versions() {
		if version == before[user] {
			continue
		}
		if l.since[user] = l.now.Add(-l.behind); l.told[user].After(l.since[user]) {
			l.since[user] = l.told[user]
		}
	}
	l.listen()
	l.tell(l.now)
	l.sweep()
}

func (l *streakLife) refused(err error) {
	known := []error{nil, ingest.ErrUserNotFound, progress.ErrNoRestore, progress.ErrNothingToRestore, progress.ErrRestoreExpired, progress.ErrPausePast,
		progress.ErrPauseOverlaps, progress.ErrPauseNotFound, progress.ErrPauseOver, progress.ErrZoneChanges}
	if !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
		l.fatalf("refused: %v", err)
	}
}

func (l *streakLife) submit(n *node, user string) {
	var o ingest.SubmitOptions
	if rapid.IntRange(0, 5).Draw(l.t, "import") == 0 {
		i, err := n.CreateImport(context.Background(), l.org)
		if err != nil {
			l.t.Fatal(err)
		}
		o.Import = i.ID
		for i := range l.rules {
			delete(l.shown, streakKey{user, l.rules[i].ID}) // history is not told
		}
	}
	var batch []oracle.Record
	for range rapid.IntRange(1, 4).Draw(l.t, "size") {
		l.n++
		at := l.now.Add(-l.behind - time.Duration(rapid.SampledFrom([]int{0, 0, 1, 5, 20, 30, 70, 200}).Draw(l.t, "ago"))*time.Hour)
		zone := time.FixedZone("", 3600*rapid.SampledFrom([]int{1, 1, -8, 10}).Draw(l.t, "offset"))
		batch = append(batch, oracle.Record{ID: fmt.Sprint("i", l.n), User: user, Name: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(l.t, "name"),
			At: at.In(zone), Received: l.now, Imported: o.Import != ""})
	}
	report, err := n.Submit(context.Background(), l.org, items(batch...), o)
	if err != nil || report.Accepted != len(batch) {
		l.t.Fatal(report, err)
	}
	l.model.Records = append(l.model.Records, batch...)
}

// flip rejects or restores an activity.
func (l *streakLife) flip(n *node) {
	if len(l.model.Records) == 0 {
		return
	}
	r := &l.model.Records[rapid.IntRange(0, len(l.model.Records)-1).Draw(l.t, "flipped")]
	var err error
	if r.Rejected {
		_, err = n.Restore(context.Background(), l.org, activity.User(r.User), activity.ID(r.ID))
	} else {
		_, err = n.Reject(context.Background(), l.org, activity.User(r.User), activity.ID(r.ID), "test")
	}
	if err != nil {
		l.t.Fatal(err)
	}
	r.Rejected = !r.Rejected
}

// take hands the model the user's commands as they were decided.
func (l *streakLife) take(n *node, user string) {
	state, err := n.State(context.Background(), l.org, activity.User(user))
	if errors.Is(err, ingest.ErrUserNotFound) {
		return
	}
	plan, _, err2 := n.Plan(l.org)
	if err := errors.Join(err, err2); err != nil {
		l.t.Fatal(err)
	}
	testenv.GiveCommands(l.model, user, plan, state)
	l.model.Zones[user] = nil
	for _, z := range state.Zones {
		zone, err := time.LoadLocation(z.Name)
		if err != nil {
			l.t.Fatal(err)
		}
		l.model.Zones[user] = append(l.model.Zones[user], oracle.ZoneChange{At: z.At.Time(), Zone: zone})
	}
}

// check compares views, boards, and what events add up to, as of now.
func (l *streakLife) check() {
	l.listen()
	boards := map[string]map[string]int64{}
	for i := range l.rules {
		r := &l.rules[i]
		for _, suffix := range []string{progress.CurrentSuffix, progress.LongestSuffix} {
			boards[r.ID+suffix] = map[string]int64{}
		}
		for _, user := range streakUsers {
			want := l.model.Streak(r, user, l.now)
			want.Past = nil
			l.checkView(i, user, &want)
			for suffix, n := range map[string]int{progress.CurrentSuffix: want.Current.Length, progress.LongestSuffix: want.Longest.Length} {
				if n > 0 {
					boards[r.ID+suffix][user] = int64(n)
				}
			}
			key := streakKey{user, r.ID}
			if have, known := l.shown[key]; known && !want.OptedOut && have != want.Current.Length {
				l.fatalf("%v: events add up to %d, it is %d", key, have, want.Current.Length)
			}
			if l.shown[key] = want.Current.Length; want.OptedOut {
				delete(l.shown, key)
			}
		}
	}
	for board, want := range boards {
		if diff := gocmp.Diff(want, l.rows(board)); diff != "" {
			l.fatalf("%s at %v (-model +store)\n%s", board, l.now, diff)
		}
	}
}

// listen takes down what was told.
func (l *streakLife) listen() {
	for key, events := range l.events() {
		l.shown[key] = events[len(events)-1].Current
	}
}

func (l *streakLife) rows(board string) map[string]int64 {
	rows := map[string]int64{}
	for p := range l.nodes[0].store.Partitions() {
		err := l.nodes[0].store.LoadBoard(context.Background(), store.Partition(p), feed.Board{Org: l.org, Rule: board, Label: "all"}, false,
			func(u activity.User, v int64, _ calendar.Instant) error { rows[string(u)] = v; return nil })
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return rows
}

func (l *streakLife) checkView(i int, user string, want *oracle.View) {
	for _, n := range l.nodes {
		state, err := n.State(context.Background(), l.org, activity.User(user))
		if errors.Is(err, ingest.ErrUserNotFound) {
			return
		}
		plan, _, err2 := n.Plan(l.org)
		if err := errors.Join(err, err2); err != nil {
			l.t.Fatal(err)
		}
		v := state.Derive(plan, i, calendar.InstantOf(l.now))
		if diff := gocmp.Diff(*want, testenv.StreakView(plan.Calculus(i, state), &v), gocmp.Comparer(time.Time.Equal)); diff != "" {
			l.fatalf("%s of %s at %v (-model +node)\n%s", l.rules[i].ID, user, l.now, diff)
		}
	}
}

// TestStreaks_EqualTheModel: whatever activities and commands come, by whichever node, views equal the model's at once and boards after a sweep; what time does is in
// the outbox exactly once, however many nodes sweep, and all events add up to what is shown.
func TestStreaks_EqualTheModel(t *testing.T) {
	var orgs atomic.Int64
	play := func(t *testing.T, nodes []*node) {
		rapid.Check(t, func(rt *rapid.T) {
			l := &streakLife{t: rt, nodes: nodes, behind: time.Duration(rapid.IntRange(0, 90).Draw(rt, "behind")) * time.Second, model: newModel(rt),
				rules: streaksOfLives(), read: map[store.Partition]feed.Position{}, shown: map[streakKey]int{}, warned: map[streakKey]map[string]bool{},
				since: map[string]time.Time{}, told: map[string]time.Time{}}
			l.model.Pauses = map[string][]oracle.Pause{}
			l.tell(time.Date(2026, 3, 2, 8, 0, 30, 0, time.UTC)) // periods end, and deadlines lie, between the two clocks
			l.org = nodes[0].publish(rt, fmt.Sprintf(streakDefinitions, fmt.Sprint("org", orgs.Add(1))))
			if _, err := nodes[1].registry.Reload(context.Background(), l.org); err != nil {
				rt.Fatal(err)
			}
			l.events()
			for _, u := range streakUsers {
				l.since[u] = l.now
			}
			for range rapid.IntRange(1, 30).Draw(rt, "steps") {
				l.tell(l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3, 10, 24, 24, 60, 200}).Draw(rt, "hours")) * time.Hour))
				l.sweep()
				l.step()
				l.check()
			}
		})
	}
	t.Run("embedded", func(t *testing.T) {
		n := startNode(t, embedded(t, 2))
		play(t, []*node{n, n})
	})
	eachServer(t, 2, func(t *testing.T, o store.Options) {
		play(t, []*node{startNode(t, o), startNode(t, o)})
	})
}
