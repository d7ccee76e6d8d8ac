package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// entry is one activity of the law's model: what it moves in coins while it is in force, of its user and of another.
type entry struct {
	user, to   activity.User
	id         activity.ID
	own, other int64
	inForce    bool
	busy       bool // somebody is about to change it
}

// law is a whole org of which nothing may appear or vanish: users earn, give and take back on several nodes, are merged, and the steps by which it reaches others fail at random.
type law struct {
	t     *testing.T
	nodes []*node
	org   activity.Org

	*chance // its lock is of what follows too
	users   []activity.User
	gone    []activity.User
	into    map[activity.User]activity.User
	entries []*entry
	opened  map[activity.ID]*entry // bounties that may be open
	n       int
}

func newLaw(t *testing.T, users int) *law {
	l := &law{t: t, chance: newChance(t), into: map[activity.User]activity.User{}, opened: map[activity.ID]*entry{}}
	for i := range users {
		l.users = append(l.users, activity.User(fmt.Sprint("u:", i)))
	}
	return l
}

func (l *law) node() *node { return l.nodes[l.draw(len(l.nodes))] }

func (l *law) user() activity.User { return l.users[l.draw(len(l.users))] }

// last is whom a name stands for.
func (l *law) last(u activity.User) activity.User {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.into[u] != "" {
		u = l.into[u]
	}
	return u
}

func (l *law) id() activity.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	return activity.ID(fmt.Sprint("a", l.n))
}

// take submits an item, twice in a while, and takes down what it moves if it was accepted.
func (l *law) take(it ingest.Item, own, other int64, to activity.User) *entry {
	e := &entry{user: it.Activity.User, to: to, id: it.Activity.ID, own: own, other: other, inForce: true}
	accepted := false
	for range 1 + l.draw(2) {
		r, err := l.node().Submit(context.Background(), l.org, []ingest.Item{it}, ingest.SubmitOptions{})
		if err != nil {
			l.t.Errorf("%s: %v", it.Activity.ID, err)
			return nil
		}
		accepted = accepted || r.Accepted == 1
	}
	if !accepted {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return e
}

// act has somebody do something.
func (l *law) act() {
	user, to, id := string(l.user()), string(l.user()), string(l.id())
	switch n := int64(2 + l.draw(9)); l.draw(12) {
	case 0, 1:
		l.take(income(user, id, float64(n)), n, 0, "")
	case 2, 3, 4:
		l.take(gift(user, id, "coffee", to), -3, 3, activity.User(to))
	case 5:
		l.take(gift(user, id, []string{"gem", "smile"}[n%2], to), []int64{-1, 0}[n%2], 0, activity.User(to))
	case 6:
		if e := l.take(deed(activity.Bounty, user, id, "bug", float64(n), "action", "start"), -n, 0, ""); e != nil {
			l.mu.Lock()
			l.opened[e.id] = e
			l.mu.Unlock()
		}
	case 7, 8:
		l.end(id, to)
	case 9, 10:
		l.turn()
	case 11:
		if l.draw(8) == 0 {
			l.merge(activity.User(user), activity.User(to))
		}
	}
}

// end cancels or awards a bounty that may be open.
func (l *law) end(id, to string) {
	l.mu.Lock()
	var start *entry
	for _, e := range l.opened {
		if start == nil || e.id < start.id {
			start = e
		}
	}
	l.mu.Unlock()
	switch {
	case start == nil:
	case l.draw(2) == 0:
		l.take(deed(activity.Bounty, string(start.user), id, "bug", 0, "action", "cancel", "of", string(start.id)), -start.own, 0, "")
	default:
		l.take(deed(activity.Bounty, string(start.user), id, "bug", 0, "action", "award", "of", string(start.id), "to", to), 0, -start.own, activity.User(to))
	}
	if start != nil && l.draw(3) == 0 {
		l.mu.Lock()
		delete(l.opened, start.id)
		l.mu.Unlock()
	}
}

// turn takes an entry back, or brings it back.
func (l *law) turn() {
	l.mu.Lock()
	var e *entry
	if len(l.entries) > 0 {
		e = l.entries[l.random.IntN(len(l.entries))]
	}
	if e == nil || e.busy {
		l.mu.Unlock()
		return
	}
	e.busy = true
	want := !e.inForce
	l.mu.Unlock()
	var err error
	for range 20 { // the name may become another one's meanwhile
		user := l.last(e.user)
		if want {
			_, err = l.node().Restore(context.Background(), l.org, user, e.id)
		} else {
			_, err = l.node().Reject(context.Background(), l.org, user, e.id, "")
		}
		if !errors.Is(err, ingest.ErrUserMerged) && !errors.Is(err, ingest.ErrActivityNotFound) {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.busy = false; err == nil {
		e.inForce = want
	}
}

// merge makes two users one. It is asked for until it is known to be.
func (l *law) merge(from, into activity.User) {
	if from, into = l.last(from), l.last(into); from == into {
		return
	}
	err := ingest.ErrConflict
	for i := 0; i < 100 && errors.Is(err, ingest.ErrConflict); i++ {
		err = l.node().Merge(context.Background(), l.org, from, into)
	}
	if err != nil {
		return // one of them was merged otherwise, or is not there yet
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.into[from] = into
}

// erase deletes somebody into whom nobody was merged, while nothing is on its way: what the user had is gone, what the user gave stays where it is, and a new user comes.
func (l *law) erase() {
	l.t.Helper()
	i := l.draw(len(l.users))
	user := l.users[i]
	for from, into := range l.into {
		if from == user || into == user {
			return
		}
	}
	if err := l.node().Delete(context.Background(), l.org, user); errors.Is(err, ingest.ErrUserNotFound) {
		return
	} else if err != nil {
		l.t.Fatalf("delete %s: %v", user, err)
	}
	for _, e := range l.entries {
		if e.user == user || l.last(e.user) == user {
			e.own, e.busy = 0, true // it cannot be turned any more
			delete(l.opened, e.id)
		}
		if e.to != "" && l.last(e.to) == user {
			e.other = 0
		}
	}
	l.gone = append(l.gone, user)
	l.users[i] = activity.User(fmt.Sprint("new:", len(l.gone)))
}

// moment is what is stored: who has how much, what has come of each credit, and what is on its way.
type moment struct {
	Balances map[activity.User]int64
	OnWay    int64
	versions []store.Version
	open     []feed.Position
}

// look reads a moment that nobody wrote in.
func (l *law) look(n *node) moment {
	l.t.Helper()
	for range 1_000 {
		before, after := l.read(n), l.read(n)
		if slices.Equal(before.versions, after.versions) && slices.Equal(before.open, after.open) {
			return before
		}
	}
	l.t.Fatal("it never stands still")
	return moment{}
}

func (l *law) read(n *node) moment {
	m, ctx := moment{Balances: map[activity.User]int64{}}, context.Background()
	for _, u := range slices.Concat(l.users, l.gone) {
		docs, err := n.store.Docs(ctx, []store.Key{store.StateKey(n.store.PartitionOf(l.org, u), l.org, u)})
		if err != nil {
			l.t.Fatal(err)
		}
		m.versions = append(m.versions, docs[0].Version)
		if b := n.balance(l.t, l.org, u, 0); b != 0 {
			m.Balances[u] = b
		}
	}
	type credit struct {
		id activity.ID
		to activity.User
	}
	latest := map[credit]activity.Transfer{}
	for p := range n.store.Partitions() {
		list, err := n.store.Transfers(ctx, store.Partition(p), feed.Position{}, 10_000)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, e := range list {
			m.open = append(m.open, e.ID)
			t, err := activity.ParseTransfer(string(e.Body))
			if err != nil {
				l.t.Fatal(err)
			}
			for _, u := range t.To {
				k := credit{t.ID, l.last(u)}
				if !slices.Contains(l.gone, k.to) && (latest[k].ID == "" || latest[k].Turn < t.Turn) { // for who is gone it will be dropped
					latest[k] = t
				}
			}
		}
	}
	for k, t := range latest {
		m.OnWay += l.missing(n, k.to, &t)
	}
	return m
}

// missing is what a transfer will move.
func (l *law) missing(n *node, to activity.User, t *activity.Transfer) (coins int64) {
	has, err := n.Activity(context.Background(), l.org, to, t.ID)
	if err != nil {
		has = &activity.Activity{Status: activity.Rejected, Decided: &activity.Decided{}}
	} else if has.Decided.Turn >= t.Turn {
		return 0
	}
	for _, row := range t.Effect.Rows {
		if row.Wallet != "coins" {
			continue
		}
		if t.Turn%2 == 0 {
			coins += row.Amount
		}
		if has.Counts() {
			coins -= row.Amount
		}
	}
	return coins
}

// sum is what the model says that all wallets have, and what is on its way.
func (l *law) sum() (sum int64) {
	for _, e := range l.entries {
		if e.inForce {
			sum += e.own + e.other
		}
	}
	return sum
}

// check compares the whole of what is stored with the model.
func (l *law) check(round int) {
	l.t.Helper()
	m := l.look(l.node())
	got := m.OnWay
	for _, b := range m.Balances {
		got += b
	}
	if want := l.sum(); got != want {
		l.t.Fatalf("round %d: all wallets and what is on its way (%d) add up to %d, want %d", round, m.OnWay, got, want)
	}
}

// settle delivers everything and compares everybody with the model.
func (l *law) settle() {
	l.t.Helper()
	l.fail(0)
	want := map[activity.User]int64{}
	for _, e := range l.entries {
		if e.inForce {
			want[l.last(e.user)] += e.own
			want[l.last(e.to)] += e.other
		}
	}
	for u, b := range want {
		if b == 0 {
			delete(want, u)
		}
	}
	for _, n := range l.nodes {
		n.pump(l.t)
		if diff := cmp.Diff(want, l.look(n).Balances); diff != "" {
			l.t.Fatalf("balances (-model +stored)\n%s", diff)
		}
	}
}

// run lets everybody act for some rounds.
func (l *law) run(rounds int, between func(round int)) {
	for round := range rounds {
		l.fail([]int{0, 30, 100}[l.draw(3)])
		var acting sync.WaitGroup
		for range 1 + l.draw(8) {
			acting.Go(l.act)
		}
		if l.draw(2) == 0 { // a pump that stops in the middle of what it does
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(l.draw(3_000))*time.Microsecond)
			acting.Go(func() { defer cancel(); _ = l.node().PumpNow(ctx) }) // it fails, as it may
		}
		acting.Wait()
		l.check(round)
		if between != nil {
			between(round)
		}
		if round%25 == 24 {
			l.settle()
			l.erase()
		}
	}
	l.settle()
	l.t.Logf("%d activities, %d steps failed, %d merges, %d deletions", len(l.entries), l.stops(), len(l.into), len(l.gone))
}

func TestLedgerLaw_TwoNodes(t *testing.T) {
	t.Parallel()
	eachServer(t, 3, ledgerOfTwo)
}

func ledgerOfTwo(t *testing.T, o store.Options) {
	a, b := startNode(t, o), startNode(t, o)
	l := newLaw(t, 8)
	l.nodes, l.org = []*node{a, b}, a.publish(t, economy)
	if _, err := b.registry.Reload(t.Context(), l.org); err != nil {
		t.Fatal(err)
	}
	for _, n := range l.nodes {
		n.set(noon)
		n.OnStep(l.onStep)
	}
	l.run(150, nil)
}

// TestLedgerLaw_Restarts: what a node leaves the next start delivers.
func TestLedgerLaw_Restarts(t *testing.T) {
	t.Parallel()
	o := embedded(t, 2)
	l := newLaw(t, 6)
	start := func() *node {
		n, run := newNode(t, o, 0)
		n.OnStep(l.onStep)
		n.set(noon)
		if err := n.registry.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
		run()
		return n
	}
	n := start()
	l.nodes, l.org = []*node{n}, n.publish(t, economy)
	l.run(100, func(round int) {
		if round%10 != 5 {
			return
		}
		l.nodes[0].stop() // with steps that fail, what is left stays
		l.nodes[0] = start()
	})
}
