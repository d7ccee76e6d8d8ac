package progress_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
)

// richOrg has ten rules, three streaks, three wallets, of which one expires, a level, and twenty achievements, in turn over the behaviours; ids are as people write them.
func richOrg(t testing.TB, behaviours ...string) *catalog.Catalog {
	t.Helper()
	of := func(i int) string { return behaviours[i%len(behaviours)] }
	var b strings.Builder
	b.WriteString("orgs:\n  - id: o\n    timezone: Europe/Berlin\n    behaviours:\n")
	for _, name := range behaviours {
		fmt.Fprintf(&b, "      - {name: %s, meta: {points: integer}}\n", name)
	}
	b.WriteString("    rules:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "      - {id: %s-points-%d, when: {name: %s}, value: {sum: meta.points}, cycles: [%s]}\n", of(i), i, of(i), []string{"all", "month", "week"}[i*2%3])
	}
	b.WriteString("    streaks:\n")
	for i := range 3 {
		fmt.Fprintf(&b, "      - {id: daily-%s-%d, when: {name: %s}, unit: day, target: 1}\n", of(i), i, of(i))
	}
	b.WriteString("    wallets: [{id: xp, categories: true}, {id: coins, expires: {months: 12}}, {id: gems}]\n    awards:\n")
	for i, wallet := range []string{"xp", "coins", "gems"} {
		fmt.Fprintf(&b, "      - {id: %s-each, when: {name: %s}, wallet: %s, points: 10}\n", wallet, of(i), wallet)
	}
	b.WriteString("    levels: [{id: tier, wallet: xp, steps: [{at: 100}, {at: 10000}]}]\n    achievements:\n")
	for i := range 20 {
		per := "all"
		if i%5 == 4 {
			per = "month"
		}
		fmt.Fprintf(&b, "      - {id: %s-master-%d, when: {name: %s}, at_least: %d, per: %s, points: [{wallet: coins, points: 5}]}\n", of(i), i, of(i), 10*(i+1), per)
	}
	all, err := catalog.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// TestState_IsSmallWithEverything: after three years of daily use of everything that a user can have, what each commit reads, writes and sends, and the base, which folding does.
func TestState_IsSmallWithEverything(t *testing.T) {
	for _, c := range []struct {
		name        string
		behaviours  []string
		state, base int // bytes at most
	}{
		{"of one behaviour", []string{"play"}, 1750, 24_000},
		{"of three", []string{"commit", "review", "lesson"}, 1850, 17_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, 6))
			l := &longLife{t: t, plan: progress.NewPlan(richOrg(t, c.behaviours...)), begin: calendar.Instant(instant("2023-11-22T00:00:00Z").UnixMilli())}
			for range 3 * 365 {
				l.day(func(now calendar.Instant) activity.Activity {
					act := activity.Activity{ID: activity.ID(fmt.Sprintf("%016x", random.Uint64())), User: "u", Name: c.behaviours[random.IntN(len(c.behaviours))],
						At: now, AtGiven: true, Received: now, Meta: fmt.Appendf(nil, `{"points":%d}`, 1+random.IntN(100))}
					if random.IntN(40) == 0 {
						act.Kind, act.Name, act.Meta, act.Value, act.HasValue = activity.Point, "coins", []byte(`{"action":"redeem"}`), float64(1+random.IntN(30)), true
					}
					return act
				}, 1+random.IntN(3), random)
			}
			t.Logf("the state takes %d bytes at most in the last year, and %d at the end; the base %d", l.largest, len(l.state), len(l.base))
			if l.largest > c.state || len(l.base) > c.base {
				t.Errorf("the budgets are %d and %d", c.state, c.base)
			}
		})
	}
}

// longLife is a user's over years, as ingest leads it: a log of 90 days, folded once a day.
type longLife struct {
	t           *testing.T
	plan        *progress.Plan
	begin       calendar.Instant
	days        int
	state, base string
	log         []activity.Activity
	largest     int // state in the last year of three
}

func (l *longLife) parse(content string) *progress.State {
	l.t.Helper()
	s, err := progress.Parse(content)
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

// day lets the user do something n times, and folds.
func (l *longLife) day(do func(calendar.Instant) activity.Activity, n int, random *rand.Rand) {
	const day = calendar.Instant(24 * 60 * 60 * 1000)
	now := l.begin + calendar.Instant(l.days)*day
	for range n {
		now += calendar.Instant(random.Int64N(int64(day) / int64(n)))
		s := l.parse(l.state)
		act := do(now)
		if act.Kind != activity.Behaviour {
			decided, err := progress.Decide(l.plan, s, &act, progress.Facts{}, now)
			if err != nil {
				continue
			}
			act.Decided = decided
		}
		u := progress.Apply(l.plan, s, []activity.Activity{act}, now)
		if u.Verdicts[0].Err != nil || u.NeedLog {
			l.t.Fatalf("day %d: %+v", l.days, u.Verdicts)
		}
		l.log = append(l.log, act)
		s.Scheduled = s.Due
		l.state = string(s.Append(nil))
		if l.days >= 2*365 {
			l.largest = max(l.largest, len(l.state))
		}
	}
	l.days++
	l.fold(l.begin + calendar.Instant(l.days)*day)
}

func (l *longLife) fold(now calendar.Instant) {
	horizon, _ := l.plan.Catalog.SealHorizon()
	seal := now - calendar.Instant(horizon.Milliseconds())
	old := l.parse(l.state)
	progress.Apply(l.plan, old, nil, now) // what time alone does
	b, dropped := progress.Fold(l.plan, old, l.parse(l.base), l.log, seal, now)
	l.base, l.log = string(b.Append(nil)), l.log[len(dropped):]
	sealed := *old
	sealed.Sealed = seal
	next, err := progress.Rebuild(l.plan, &sealed, l.parse(l.base), l.log, now)
	if err != nil {
		l.t.Fatal(err)
	}
	if changes := progress.Diff(l.plan, old, next, now, progress.History).Boards; len(changes) > 0 {
		l.t.Fatalf("day %d: folding changed %+v", l.days, changes)
	}
	next.Scheduled = next.Due
	l.state = string(next.Append(nil))
}
