package rewards_test

import (
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// Two users do the same, of whom one is summed up now and then: nothing but the list of completions may tell them apart.
func TestSumUp_ChangesNothing(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		whole, summed := w.user(nil), w.user(nil)
		var before calendar.Instant
		for n, i := range w.items {
			w.add(whole, i)
			w.add(summed, i)
			if !chance(t, 40) && n < len(w.items)-1 {
				continue
			}
			now := i.at
			if n == len(w.items)-1 {
				now += calendar.Instant(number(t, 0, 60)) * aDay
			}
			w.compare(t, whole, summed, now, before)
			w.takeNotes(t, whole, summed, now)
			if chance(t, 60) {
				before = max(before, epoch, i.at-calendar.Instant(number(t, 0, 60*24*60))*minute)
				w.sumUp(t, summed, now, before)
				w.compare(t, whole, summed, now, before)
			}
		}
	})
}

func (w *world) compare(t *rapid.T, whole, summed *rewards.User, now, before calendar.Instant) {
	want, v := show(w.derive(whole, now)), w.derive(summed, now)
	want.Completions = slices.DeleteFunc(want.Completions, func(c rewards.Completion) bool { return c.At < before })
	if diff := want.diff(show(v)); diff != "" || v.Stale {
		t.Fatalf("summed up to %v, stale %v (-whole +summed):\n%s", before, v.Stale, diff)
	}
	checkLots(t, w, v)
}

func (w *world) takeNotes(t *rapid.T, whole, summed *rewards.User, now calendar.Instant) {
	notes := w.calc.Notes(nil, w.derive(whole, now), whole)
	if diff := gocmp.Diff(notes, w.calc.Notes(nil, w.derive(summed, now), summed), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("notes (-whole +summed):\n%s", diff)
	}
	whole.Take(notes)
	summed.Take(notes)
	if again := w.calc.Notes(nil, w.derive(whole, now+1), whole); len(again) > 0 {
		t.Fatalf("noted twice: %v", again)
	}
}

func (w *world) sumUp(t *rapid.T, u *rewards.User, now, before calendar.Instant) {
	v := w.derive(u, now)
	w.calc.SumUp(u, v, before, rapid.SampledFrom([]calendar.Instant{0, before}).Draw(t, "sealed"))
	if changes := w.calc.Changes(nil, v, w.derive(u, now)); len(changes) > 0 {
		t.Fatalf("summing up made changes: %v", changes)
	}
	for i, l := range u.Ledgers {
		if len(l.Units) > 0 && l.Units[0].Ordinal < rewards.UnitAt(w.earning.Wallets[i], w.cal, before) {
			t.Fatalf("wallet %d still has unit %d", i, l.Units[0].Ordinal)
		}
	}
}

// Summing up in many steps is summing up in one.
func TestSumUp_Steps(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		now := drawNow(t, w)
		steps, once := w.user(w.items), w.user(w.items)
		notes := w.calc.Notes(nil, w.derive(once, now-20*aDay), once)
		steps.Take(notes)
		once.Take(notes)
		before := now
		if n := len(w.items); n > 0 {
			before = min(now, w.items[n-1].at)
		}
		for back := number(t, 0, 5); back >= 0; back-- {
			at := before - calendar.Instant(back*number(t, 1, 20))*aDay
			if back == 0 {
				at = before
			}
			w.calc.SumUp(steps, w.derive(steps, now), at, at)
		}
		w.calc.SumUp(once, w.derive(once, now), before, before)
		if diff := gocmp.Diff(once, steps, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-once +steps):\n%s", diff)
		}
	})
}

func TestSumUp_Stale(t *testing.T) {
	e := &catalog.Earning{
		Achievements: []*catalog.Achievement{{
			Per:      calendar.Cycle{Unit: calendar.All},
			Criteria: []catalog.Criterion{{Kind: catalog.OfStreak, Condition: catalog.Condition{AtLeast: 3}}},
		}},
		Order: []catalog.Derived{{Kind: "achievements"}},
	}
	c := rewards.New(e, calendar.New(time.UTC, time.Monday, 0))
	for _, sealed := range []calendar.Instant{0, epoch + 1} {
		u := &rewards.User{Longest: []int64{3}}
		var v rewards.View
		c.Derive(&v, u, epoch, epoch)
		u.Take(c.Notes(nil, &v, u))
		c.Derive(&v, u, epoch+1, epoch+1)
		c.SumUp(u, &v, epoch+1, sealed)
		u.Longest[0] = 2
		c.Derive(&v, u, epoch+2, epoch+2)
		if notes := c.Notes(nil, &v, u); len(notes) > 0 {
			t.Errorf("sealed %v: noted of what was summed up: %v", sealed, notes)
		}
		if a := v.Achievements[0]; a.Progress != 3 || a.Max != 3 || !a.Met {
			t.Errorf("sealed %v: completed with %+v", sealed, a.Part)
		}
		if want := sealed == 0; v.Stale != want || v.Achievements[0].CompletedAt != epoch {
			t.Errorf("sealed %v: stale is %v, completed at %v", sealed, v.Stale, v.Achievements[0].CompletedAt)
		}
	}
}
