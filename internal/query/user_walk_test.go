package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/recent"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

// walkDefinitions has, of all that is shown of a user, what depends on the time: the numbers are what publications change: a name always, what states follow from sometimes.
const walkDefinitions = `
orgs:
  - id: o
    timezone: Europe/Berlin
    limits: {max_past: 20d, close_grace: 2d, log_days: 30}
    behaviours: [{name: a, meta: {n: integer}}, {name: b, meta: {n: integer}}]
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week, month, all, {every: 3d, from: 2026-01-05}], keep: {day: 22}}
      - {id: sum, when: {}, value: {sum: meta.n}, cycles: [week, all], ties: %s, segment_by: user.team}
      - id: season
        when: {name: b}
        value: count
        cycles: [{list: {id: cup, periods: [{id: one, start: 2026-03-21, end: 2026-03-25}, {id: two, start: 2026-03-27, end: 2026-04-05}]}}]
    streaks:
      - {id: daily, when: {name: a}, unit: day, grace: 90m, at_risk: 5h, freezes: {initial: 1, earn_every: 3, max: 3}, restore_window: 5d}
      - {id: event, when: {name: [a, b]}, unit: day, timezone: event, at_risk: 2h, active_days: [mon, tue, wed, fri, sat]}
      - {id: weekly, when: {}, unit: week, target: %d, user_target: {max: 6}, timezone: org, at_risk: 1d, on_miss: {decay: 1}}
    wallets: [{id: xp, categories: true}, {id: coins, expires: {days: 3}}, {id: gems, expires: {months: 1}}]
    awards:
      - {id: xp-each, when: {name: a}, wallet: xp, points: 10, category: loyalty}
      - {id: coins-each, when: {name: b}, wallet: coins, points: 4}
      - {id: gems-each, when: {}, wallet: gems, points: 1}
    levels: [{id: tier, name: tier %d, wallet: xp, steps: [{at: 20, name: A}, {at: 60, name: B}]}]
    rewards: [{id: pin, expires: 4h}, {id: mug, price: {wallet: coins, points: 3}}]
    achievements:
      - {id: some, when: {name: a}, at_least: %d, points: [{wallet: coins, points: 5}], grants: [pin]}
      - {id: today, when: {}, at_least: 2, per: day, points: [{wallet: gems, points: 2}]}
      - {id: monthly, when: {name: b}, at_least: 3, per: month}
      - {id: steady, any: [{streak: daily, at_least: 3}]}
      - {id: rich, any: [{wallet: xp, at_least: 50}]}
    missions:
      - {id: first, needs: [{achievement: some}]}
      - {id: run, needs: [{achievement: today}, {level: tier, at_least: 1}], start: required, within: 7h, attempts: 5}
      - {id: stay, needs: [{achievement: steady}], within: 4d}
    gifts: [{id: coffee, cost: {wallet: coins, points: 1}, gives: {wallet: gems, points: 1}}]
    kpis: [{id: k, rule: count, targets: {week: 3}}, {id: c, rule: season, targets: {cup: 1}}]
    target_groups: [{id: crew, cycle: week, rules: [count], enrolment: explicit}, {id: all, cycle: week, rules: [sum]}]
`

// walkNode is one of the nodes on a store, with a reader that remembers users and one that does not.
type walkNode struct {
	remembers, forgets *Reader
	writes             *ingest.Service
	boards             *ranking.Boards
	registry           *registry.Registry

	testenv.BoardSource
	halted atomic.Bool  // it hears of no changes any more
	late   atomic.Int64 // by so many ns the boards' clock is ahead
}

// Changes implements ranking.Source.
func (n *walkNode) Changes(ctx context.Context, partition int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	if n.halted.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n.BoardSource.Changes(ctx, partition, after, most, block)
}

func (n *walkNode) now() time.Time { return time.Now().Add(time.Duration(n.late.Load())) }

type walk struct {
	t     *testing.T
	r     *rand.Rand
	redis *testenv.Redis
	clock *clock.Clock
	now   calendar.Instant
	nodes [2]*walkNode
	users []activity.User
	sent  []activity.Activity
	n     int
	done  map[string]int // what was done of each kind
	held  int            // reads that were compared while something was remembered
}

func newWalk(t *testing.T, seed uint64) *walk {
	w := &walk{t: t, r: rand.New(rand.NewPCG(seed, 1)), clock: new(clock.Clock), users: []activity.User{"ann", "bob", "cid", "dot"}, done: map[string]int{}}
	w.set(instant(t, "2026-03-20T12:00:00.000Z"))
	w.redis = testenv.StartRedis(t)
	for i := range w.nodes {
		w.nodes[i] = w.start(w.redis.URL())
	}
	w.publish(w.nodes[0])
	must(t, w.nodes[1].registry.Load(t.Context()))
	return w
}

func (w *walk) start(url string) *walkNode {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	s, err := store.Open(ctx, store.Options{URL: url, Partitions: 2})
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	n := &walkNode{registry: registry.New(s, zerolog.Nop()), BoardSource: testenv.BoardSource{Store: s}}
	n.boards = ranking.NewBoards(ranking.Options{Source: n, Now: n.now, LoadWait: time.Minute, OnReset: func(p int) { n.writes.Forget(p) },
		OnChange: func(c feed.Change) {
			n.writes.Follow(c)
			for _, o := range c.Orgs {
				_, _ = n.registry.Reload(ctx, o)
			}
		}})
	n.writes = ingest.New(ingest.Options{Store: s, Registry: n.registry, Boards: n.boards, Clock: w.clock})
	secret := func() []byte { return []byte("secret") }
	n.remembers, n.forgets = New(n.writes, n.boards, w.clock, secret), New(n.writes, n.boards, w.clock, secret)
	n.forgets.users = recent.New[*shownUser](0)
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{s.Run, n.boards.Run, n.writes.Run} {
		running.Go(func() { _ = run(ctx) })
	}
	w.t.Cleanup(func() { cancel(); running.Wait(); _ = s.Close() })
	must(w.t, n.boards.Following(ctx))
	must(w.t, n.registry.Load(ctx))
	return n
}

func key(u activity.User) feed.UserKey { return feed.UserKey{Org: org, User: u} }

func (w *walk) set(now calendar.Instant) {
	w.now = now
	w.clock.Set(&now)
}

func (w *walk) publish(n *walkNode) {
	all, err := catalog.Parse(fmt.Appendf(nil, walkDefinitions, []string{"standard", "dense"}[w.r.IntN(2)], 2+w.n%2*w.r.IntN(2), w.n, 3+w.n%2*w.r.IntN(3)))
	must(w.t, err)
	_, err = n.registry.Publish(w.t.Context(), all[0], "", true)
	must(w.t, err)
}

func (w *walk) user() activity.User { return w.users[w.r.IntN(len(w.users))] }

// pass lets time pass: mostly little, sometimes a day, now and then to when something that is remembered ends, or back.
func (w *walk) pass() {
	const hour = 3_600_000
	switch w.r.IntN(8) {
	case 0:
		w.set(w.now + calendar.Instant(w.r.IntN(30*hour)))
	case 1:
		w.set(w.now + calendar.Instant(w.r.IntN(4*hour)))
	case 2, 3:
		w.set(w.now + calendar.Instant(w.r.IntN(600_000)))
	case 4:
		w.set(w.now - calendar.Instant(w.r.IntN(60_000)))
	case 5, 6:
		if u, ok := w.nodes[0].remembers.users.Get(key(w.user())); ok && u.until < w.now+30*hour {
			w.set(max(u.until-calendar.Instant(w.r.IntN(3)), w.now))
		}
	}
}

// act does something at a node; it may be refused.
func (w *walk) act(n *walkNode) {
	u, ctx := w.user(), w.t.Context()
	today := calendar.Date(w.now / 86_400_000)
	streak := []string{"daily", "event", "weekly"}[w.r.IntN(3)]
	do := func(what string, err error) {
		if err == nil {
			w.done[what]++
		}
	}
	switch w.r.IntN(25) {
	case 0, 1, 2, 3, 4, 5, 6:
		do("activity", w.submit(n, activity.Behaviour, u, []string{"a", "a", "b"}[w.r.IntN(3)], fmt.Sprintf(`{"n":%d}`, w.r.IntN(4)), true))
	case 7:
		do("gift", w.submit(n, activity.Gift, u, "coffee", fmt.Sprintf(`{"to":%q}`, w.user()), false))
	case 8:
		do("point", w.submit(n, activity.Point, u, "coins", `{"action":"increment"}`, false))
	case 9:
		do("coupon", w.submit(n, activity.Coupon, u, "mug", `{"action":"redeem"}`, false))
	case 10:
		if len(w.sent) > 0 {
			a := w.sent[w.r.IntN(len(w.sent))]
			if _, err := n.writes.Reject(ctx, org, a.User, a.ID, "test"); w.r.IntN(2) == 0 {
				do("reject", err)
				_, err = n.writes.Restore(ctx, org, a.User, a.ID)
				do("restore", err)
			}
		}
	case 11:
		zone := []string{"America/New_York", "Asia/Tokyo", "Pacific/Auckland"}[w.r.IntN(3)]
		do("zone", n.writes.SetUser(ctx, org, u, ingest.UserChange{Zone: &zone, Create: true}))
	case 12:
		team := []string{"red", "blue"}[w.r.IntN(2)]
		do("team", n.writes.SetUser(ctx, org, u, ingest.UserChange{Attributes: map[string]*string{"team": &team}, Create: true}))
	case 13:
		_, err := n.writes.Pause(ctx, org, u, today+calendar.Date(w.r.IntN(3)), today+calendar.Date(2+w.r.IntN(3)))
		do("pause", err)
	case 14:
		_, err := n.writes.GrantFreezes(ctx, org, u, "daily", 1)
		do("freeze", err)
	case 15:
		do("restore streak", n.writes.RestoreStreak(ctx, org, u, "daily", "test"))
	case 16:
		goal, out := int64(2+w.r.IntN(4)), w.r.IntN(4) == 0
		do("target", n.writes.SetStreak(ctx, org, u, "weekly", ingest.StreakChange{SetTarget: true, Target: &goal}))
		do("opt out", n.writes.SetStreak(ctx, org, u, streak, ingest.StreakChange{OptedOut: &out}))
	case 17:
		do("mission", n.writes.StartMission(ctx, org, u, "run"))
	case 18:
		do("enrol", n.writes.Enrol(ctx, org, u, "crew", w.r.IntN(2) == 0))
	case 19:
		change := []func(context.Context, activity.Org, activity.User) error{n.writes.Hide, n.writes.Unhide, n.writes.Block, n.writes.Unblock}[w.r.IntN(4)]
		do("flag", change(ctx, org, u))
	case 20:
		g, _, err := n.writes.Grant(ctx, org, u, ingest.GrantOrder{Reward: "pin"})
		if do("grant", err); err == nil {
			_, err = n.writes.ClaimGrant(ctx, org, u, g.ID)
			do("claim", err)
		}
	case 21:
		w.seldom(n, u, do)
	case 22:
		w.publish(n)
		do("publish", nil)
	default:
		w.rename(n, u)
	}
}

// seldom is what changes much.
func (w *walk) seldom(n *walkNode, u activity.User, do func(string, error)) {
	ctx := w.t.Context()
	switch w.r.IntN(4) {
	case 0:
		o, err := n.writes.DeclareOutage(ctx, org, w.now-3_600_000, w.now+86_400_000, "test")
		if do("outage", err); err == nil && w.r.IntN(2) == 0 {
			do("outage over", n.writes.WithdrawOutage(ctx, org, o.ID))
		}
	case 1:
		do("merge", n.writes.Merge(ctx, org, u, w.user()))
	case 2:
		do("delete", n.writes.Delete(ctx, org, u))
	case 3:
		e, _ := n.registry.Get(org)
		_, err := n.registry.Close(ctx, org, w.now, e.Catalog.Kept(w.now))
		do("close", err)
	}
}

func (w *walk) submit(n *walkNode, kind activity.Kind, u activity.User, name, meta string, timed bool) error {
	w.n++
	a := activity.Activity{ID: activity.ID(fmt.Sprint("a", w.n)), User: u, Kind: kind, Name: name, Meta: []byte(meta), At: w.now, AtGiven: timed, Value: 5, HasValue: kind == activity.Point}
	if timed {
		a.At -= calendar.Instant(w.r.IntN(3) * w.r.IntN(40*3_600_000))
		a.Offset = int16(60 * w.r.IntN(3))
	}
	report, err := n.writes.Submit(w.t.Context(), org, []ingest.Item{{Activity: a}}, ingest.SubmitOptions{})
	if err == nil && report.Accepted == 0 {
		return fmt.Errorf("%v", report.Outcomes[0].Err)
	}
	w.sent = append(w.sent, a)
	return err
}

// rename changes a name, which the node that did it shows at once, and any other as soon as it has the revision.
func (w *walk) rename(n *walkNode, u activity.User) {
	w.n++
	name := fmt.Sprint("name", w.n)
	for _, o := range w.nodes {
		_, _ = o.remembers.User(w.t.Context(), org, u)
	}
	if err := n.writes.SetUser(w.t.Context(), org, u, ingest.UserChange{Name: &name, Create: true}); err != nil {
		return // merged
	}
	revision := n.boards.Revision().String()
	for _, o := range w.nodes {
		if o != n {
			w.await(o, revision)
		}
		b, err := o.remembers.User(w.t.Context(), org, u)
		if err != nil || !strings.Contains(string(b), `"name":"`+name+`"`) {
			w.t.Fatalf("renamed to %s (here: %v), the user is shown as %.300s, %v", name, o == n, b, err)
		}
	}
	w.done["rename"]++
}

// await waits for a revision at a node, however busy the machine is.
func (w *walk) await(n *walkNode, revision string) {
	err := ErrBehind
	for errors.Is(err, ErrBehind) {
		err = n.remembers.Wait(w.t.Context(), revision)
	}
	must(w.t, err)
}

// reads are what may be answered from memory.
func (w *walk) reads(r *Reader, u activity.User) (out [7]string) {
	ctx := w.t.Context()
	for i, read := range []func() ([]byte, error){
		func() ([]byte, error) { return r.User(ctx, org, u) },
		func() ([]byte, error) { return r.Wallets(ctx, org, u) },
		func() ([]byte, error) { return r.Achievements(ctx, org, u) },
		func() ([]byte, error) { return r.Missions(ctx, org, u) },
		func() ([]byte, error) { return r.KPIs(ctx, org, u, "") },
		func() ([]byte, error) { return r.Streaks(ctx, org, u, nil) },
		func() ([]byte, error) { return r.Streak(ctx, org, u, "daily", nil) },
	} {
		b, err := read()
		if out[i] = string(b); err != nil {
			out[i] = err.Error()
		}
	}
	return out
}

// agree compares what both readers of all nodes say of everybody, once the nodes have the same. Sweepers and backfill go on meanwhile, so a difference is one that stays.
func (w *walk) agree() {
	for _, n := range w.nodes {
		for _, o := range w.nodes {
			w.await(n, o.boards.Revision().String())
		}
		for _, u := range w.users {
			_, held := n.remembers.users.Get(key(u))
			w.same(n, u)
			if held {
				w.held++
			}
			w.lasts(n, u)
		}
	}
}

func (w *walk) same(n *walkNode, u activity.User) {
	var diff string
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		n.forgets.nows.Clear()
		got, want := w.reads(n.remembers, u), w.reads(n.forgets, u)
		if diff = gocmp.Diff(want, got); diff == "" {
			return
		}
	}
	w.t.Fatalf("%s of what is remembered of %s (-store +memory):\n%s", w.now, u, diff)
}

// lasts compares what is remembered with what would be made of the same at other instants at which it is to be right.
func (w *walk) lasts(n *walkNode, u activity.User) {
	have, ok := n.remembers.users.Get(key(u))
	if !ok {
		return
	}
	m, err := n.remembers.remembered(key(u), have)
	if err != nil || m == nil || m.entry != have.entry {
		return
	}
	length := min(have.until-have.from, 40*86_400_000)
	for _, at := range []calendar.Instant{have.until - 1, have.from + calendar.Instant(w.r.Int64N(int64(length))), have.from + calendar.Instant(w.r.Int64N(int64(length)))} {
		then := *m
		if then.state, err = progress.Parse(have.facts.Content); err != nil {
			w.t.Fatal(err)
		}
		then.now = at
		o, view := n.remembers.userObject(&then, u, have.facts)
		if got, err := n.remembers.shown(o, &then, view, have.facts); err != nil || !bytes.Equal(got.head, have.head) {
			w.t.Fatalf("what was made at %s is to be right until %s, and at %s it is another, %v (-made +then):\n%s", have.from, have.until, at, err,
				gocmp.Diff(strings.Split(string(have.head), ","), strings.Split(string(got.head), ",")))
		}
	}
}

// TestUser_WhatIsRememberedIsRight walks at random through time, and what two nodes do with users and definitions, and compares reads from memory with reads of the store, byte for byte.
func TestUser_WhatIsRememberedIsRight(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWalk(t, seed)
	for range 150 {
		w.pass()
		for range w.r.IntN(4) {
			w.act(w.nodes[w.r.IntN(2)])
		}
		w.agree()
	}
	t.Logf("%d reads compared with something remembered; done: %v; at the end it is %s", w.held, w.done, w.now)
	if w.held < 200 {
		t.Errorf("only %d reads were of what is remembered", w.held)
	}
}

// TestUser_IsReadFromTheStoreByWhoDoesNotFollow: what others commit is not heard of then.
func TestUser_IsReadFromTheStoreByWhoDoesNotFollow(t *testing.T) {
	w := newWalk(t, 1)
	behind, cut := w.nodes[0], w.nodes[1]
	w.rename(cut, "ann")
	behind.halted.Store(true)
	behind.late.Store(int64(followedFor) + 1)
	for _, name := range []string{"A", "B"} { // of the first it may still hear
		must(t, cut.writes.SetUser(t.Context(), org, "ann", ingest.UserChange{Name: &name}))
		if b, err := behind.remembers.User(t.Context(), org, "ann"); err != nil || !strings.Contains(string(b), `"name":"`+name+`"`) {
			t.Errorf("what another node wrote, and this one has not heard of for long (%s), is shown as %.200s, %v", name, b, err)
		}
	}

	for cut.remembers.recalled(key("ann")) == nil {
		_, err := cut.remembers.User(t.Context(), org, "ann")
		must(t, err)
	}
	w.redis.Kill()
	for cut.boards.Ready() {
		runtime.Gosched()
	}
	if u := cut.remembers.recalled(key("ann")); u != nil {
		t.Error("without a store it is used what is remembered")
	}
	if b, err := cut.remembers.User(t.Context(), org, "ann"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a store: %.100s, %v; want ErrUnavailable", b, err)
	}
}
