package rewards_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/rewards"
)

func TestDerive_EqualsModel(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		now := drawNow(t, w)
		u := w.user(w.items)
		v := new(rewards.View)
		for range 2 { // the second time in the memory of the first, with noted instants
			w.calc.Derive(v, u, now, now)
			if diff := w.model(w.items, now, u).show().diff(show(v)); diff != "" {
				t.Fatalf("view (-model +derived):\n%s", diff)
			}
			checkLots(t, w, v)
			u.Take(w.calc.Notes(nil, v, u))
			now += calendar.Instant(number(t, 0, 30)) * aDay
		}
	})
}

// checkLots checks that what is left, less what is owed, is the balance.
func checkLots(t *rapid.T, w *world, v *rewards.View) {
	for i, x := range v.Wallets {
		left := -x.Owed
		for _, l := range x.Lots {
			left += l.Left
		}
		if w.earning.Wallets[i].Expires > 0 && left != x.Balance {
			t.Fatalf("wallet %d: lots less owed are %d, the balance is %d", i, left, x.Balance)
		}
	}
}

func TestDerive_OrderOfRows(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		now := drawNow(t, w)
		want := show(w.derive(w.user(w.items), now))
		seed := rapid.Uint64().Draw(t, "seed")
		shuffled := slices.Clone(w.items)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		u := w.user(nil)
		other := make([]rewards.Ledger, len(u.Ledgers)) // half of the rows are merged in
		for n, i := range shuffled {
			switch {
			case i.kind == anActivity || i.kind == aRank:
			case i.kind == aRow && n%2 == 0:
				def := w.earning.Wallets[i.of]
				other[i.of].Add(def, rewards.UnitAt(def, w.cal, i.at), i.row)
			default:
				w.add(u, i)
			}
		}
		for _, i := range w.items { // marks are made in order by who makes them
			if i.kind == anActivity || i.kind == aRank {
				w.add(u, i)
			}
		}
		for i := range other {
			u.Ledgers[i].Merge(w.earning.Wallets[i], &other[i])
		}
		if diff := want.diff(show(w.derive(u, now))); diff != "" {
			t.Fatalf("in another order (-in order +shuffled):\n%s", diff)
		}
	})
}

func TestExpiries_EqualModel(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		u, now := w.user(w.items), drawNow(t, w)
		v := w.derive(u, now)
		u.Take(w.calc.Notes(nil, v, u))
		to := now + calendar.Instant(number(t, 0, 60))*aDay
		after := now - calendar.Instant(number(t, 0, 60))*aDay
		m := w.model(w.items, to, u)
		next := calendar.Instant(0)
		for i := range w.earning.Wallets {
			_, rows := m.wallet(i)
			rows = slices.DeleteFunc(rows, func(r rewards.Row) bool { return r.At <= after || r.At > to })
			if diff := gocmp.Diff(rows, w.calc.Expiries(nil, i, v, u, after, to), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("wallet %d expires (-model +derived):\n%s", i, diff)
			}
			for _, r := range rows {
				if r.At > now && (next == 0 || r.At < next) {
					next = r.At
				}
			}
		}
		for _, x := range v.Missions {
			if x.Deadline != 0 && x.Deadline <= to && (next == 0 || x.Deadline < next) {
				next = x.Deadline
			}
		}
		if got := w.calc.Next(v, now); next != got && (next != 0 || got <= to && got != 0) {
			t.Fatalf("next is %v, want %v", got, next)
		}
	})
}
