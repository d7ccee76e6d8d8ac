package rewards_test

import (
	"cmp"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// world is an org's definitions, and what one user did, as the model and the calculus both take it.
type world struct {
	earning *catalog.Earning
	zone    *time.Location
	cal     *calendar.Calendar
	calc    *rewards.Calculus
	items   []item // in order of at
}

// item is one thing that happened.
type item struct {
	at   calendar.Instant
	kind itemKind
	of   int // a wallet, an achievement, a mission, a streak
	// A row of the wallet.
	row rewards.Row
	// What an activity adds to the k-th criterion of the achievement.
	k int
	n int64 // or the streak's length
}

type itemKind int

const (
	aRow itemKind = iota
	anActivity
	aStart
	aRank
	aStreak
)

const (
	streaksDefined = 2
	minute         = calendar.Instant(60_000)
	aDay           = 24 * 60 * minute
	spanDays       = 110
)

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"}

// The history begins in November 2011: a month on, Apia skips a date.
var epoch = calendar.InstantOf(time.Date(2011, 11, 20, 7, 3, 0, 0, time.UTC))

func number(t *rapid.T, low, high int) int { return rapid.IntRange(low, high).Draw(t, "n") }

func chance(t *rapid.T, percent int) bool { return rapid.IntRange(0, 99).Draw(t, "chance") < percent }

func drawWorld(t *rapid.T) *world {
	zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{earning: drawEarning(t), zone: zone, cal: calendar.New(zone, time.Monday, 0)}
	w.calc = rewards.New(w.earning, w.cal)
	for range number(t, 0, 40) {
		if i, ok := w.drawItem(t); ok {
			w.items = append(w.items, i)
		}
	}
	slices.SortStableFunc(w.items, func(x, y item) int { return cmp.Compare(x.at, y.at) })
	return w
}

// drawEarning draws definitions in an order, each resting on earlier ones only and giving into later wallets only.
func drawEarning(t *rapid.T) *catalog.Earning {
	e := &catalog.Earning{}
	kinds := []catalog.Kind{"wallets"}
	for range number(t, 0, 10) {
		kinds = append(kinds, rapid.SampledFrom([]catalog.Kind{"wallets", "levels", "achievements", "achievements", "achievements", "missions", "missions"}).Draw(t, "kind"))
	}
	kinds = rapid.Permutation(kinds).Draw(t, "order")
	total := 0
	for _, k := range kinds {
		if k == "wallets" {
			total++
		}
	}
	for _, k := range kinds {
		n := map[catalog.Kind]int{"wallets": len(e.Wallets), "levels": len(e.Levels), "achievements": len(e.Achievements), "missions": len(e.Missions)}[k]
		switch k {
		case "wallets":
			e.Wallets = append(e.Wallets, drawWallet(t))
		case "levels":
			if len(e.Wallets) == 0 {
				continue
			}
			l := &catalog.Level{Wallet: number(t, 0, len(e.Wallets)-1)}
			for at := int64(max(0, number(t, -10, 20))); len(l.Steps) < 3; at += int64(number(t, 1, 40)) {
				l.Steps = append(l.Steps, catalog.Step{At: at})
			}
			e.Levels = append(e.Levels, l)
		case "achievements":
			e.Achievements = append(e.Achievements, drawAchievement(t, e, total))
		case "missions":
			if len(e.Achievements) == 0 {
				continue
			}
			e.Missions = append(e.Missions, drawMission(t, e, total))
		}
		e.Order = append(e.Order, catalog.Derived{Kind: k, Index: n})
	}
	return e
}

func drawWallet(t *rapid.T) *catalog.Wallet {
	switch number(t, 0, 3) {
	case 0:
		return &catalog.Wallet{}
	case 1:
		return &catalog.Wallet{Lots: calendar.Month, Expires: number(t, 1, 2)}
	}
	return &catalog.Wallet{Lots: calendar.Day, Expires: number(t, 1, 12)}
}

func drawGives(t *rapid.T, e *catalog.Earning, total int) (g catalog.Gives) {
	for w := len(e.Wallets); w < total; w++ {
		if chance(t, 60) {
			g.Points = append(g.Points, catalog.Points{Wallet: w, Amount: int64(number(t, 1, 30)), Category: catalog.Category(number(t, 0, 6))})
		}
	}
	return g
}

func drawAchievement(t *rapid.T, e *catalog.Earning, total int) *catalog.Achievement {
	a := &catalog.Achievement{All: chance(t, 50), Per: calendar.Cycle{Unit: calendar.All}, Gives: drawGives(t, e, total)}
	unit := rapid.SampledFrom([]calendar.Unit{calendar.Day, calendar.Week, calendar.Month, calendar.Quarter, calendar.Year}).Draw(t, "unit")
	switch number(t, 0, 9) {
	case 0:
		a.Rank = &catalog.RankCriterion{Cycle: calendar.Cycle{Unit: unit}, AtMost: 3}
		return a
	case 1, 2, 3:
		a.Per.Unit = unit
	}
	for range number(t, 1, 3) {
		c := catalog.Criterion{Condition: catalog.Condition{AtLeast: int64(number(t, 1, 6))}}
		if a.Per.Unit == calendar.All && chance(t, 50) {
			drawOther(t, e, &c)
		}
		a.Criteria = append(a.Criteria, c)
	}
	return a
}

// drawOther makes the criterion one that does not look at activities, if there is something to look at.
func drawOther(t *rapid.T, e *catalog.Earning, c *catalog.Criterion) {
	kind := rapid.SampledFrom([]catalog.CriterionKind{catalog.OfStreak, catalog.OfWallet, catalog.OfLevel, catalog.OfAchievement, catalog.OfAchievement}).Draw(t, "criterion")
	n := map[catalog.CriterionKind]int{
		catalog.OfStreak: streaksDefined, catalog.OfWallet: len(e.Wallets), catalog.OfLevel: len(e.Levels), catalog.OfAchievement: len(e.Achievements),
	}[kind]
	if n == 0 {
		return
	}
	c.Kind, c.Of = kind, number(t, 0, n-1)
	switch kind {
	case catalog.OfWallet:
		c.AtLeast = int64(number(t, 1, 60))
	case catalog.OfLevel:
		c.AtLeast = int64(number(t, 1, 3))
	case catalog.OfAchievement:
		c.AtLeast = 1
	}
}

func drawMission(t *rapid.T, e *catalog.Earning, total int) *catalog.Mission {
	m := &catalog.Mission{Required: chance(t, 50), Attempts: 1, Gives: drawGives(t, e, total)}
	if chance(t, 60) {
		m.Within = time.Duration(number(t, 1, 20)) * 24 * time.Hour
	}
	if m.Required {
		m.Attempts = number(t, 1, 3)
	}
	for range number(t, 1, 3) {
		n := catalog.Need{Kind: catalog.OfAchievement, Of: number(t, 0, len(e.Achievements)-1)}
		if len(e.Levels) > 0 && chance(t, 30) {
			n = catalog.Need{Kind: catalog.OfLevel, Of: number(t, 0, len(e.Levels)-1), Step: number(t, 1, 3)}
		}
		m.Needs = append(m.Needs, n)
	}
	return m
}

func (w *world) drawItem(t *rapid.T) (item, bool) {
	e := w.earning
	i := item{at: epoch + calendar.Instant(number(t, 0, spanDays*24*60))*minute}
	if chance(t, 30) { // often enough at the same instant, or at the end of an attempt
		i.at = epoch + aDay*calendar.Instant(number(t, 0, spanDays))
	}
	switch pick := number(t, 0, 9); {
	case pick < 4:
		i.of = number(t, 0, len(e.Wallets)-1)
		i.row = drawRow(t, i.at)
	case pick < 8 && len(e.Achievements) > 0:
		i.kind, i.of = anActivity, number(t, 0, len(e.Achievements)-1)
		a := e.Achievements[i.of]
		if a.Rank != nil {
			i.kind = aRank
			break
		}
		i.k, i.n = number(t, 0, len(a.Criteria)-1), int64(number(t, -2, 5))
		return i, a.Criteria[i.k].Kind == catalog.OfActivities
	case pick >= 8 && chance(t, 60) && len(e.Missions) > 0:
		i.kind, i.of = aStart, number(t, 0, len(e.Missions)-1)
		return i, e.Missions[i.of].Required
	default:
		i.kind, i.of, i.n = aStreak, number(t, 0, streaksDefined-1), int64(number(t, 1, 7))
	}
	return i, true
}

func drawRow(t *rapid.T, at calendar.Instant) rewards.Row {
	r := rewards.Row{At: at, Type: rewards.RowType(number(t, 0, int(rewards.Set))), Amount: int64(number(t, 1, 30))}
	switch r.Type {
	case rewards.Earn:
		r.Category = catalog.Category(number(t, 0, 6))
	case rewards.Redeem, rewards.Spend:
		r.Amount = -r.Amount
	case rewards.Set:
		r.Amount -= 15
	}
	return r
}

// user makes what is stored of a user for whom these items, in order of at, happened.
func (w *world) user(items []item) *rewards.User {
	u := &rewards.User{}
	w.open(u)
	for _, i := range items {
		w.add(u, i)
	}
	return u
}

func (w *world) open(u *rewards.User) {
	u.Ledgers = make([]rewards.Ledger, len(w.earning.Wallets))
	u.Achievements = make([]rewards.Kept, len(w.earning.Achievements))
	u.Missions = make([]rewards.KeptMission, len(w.earning.Missions))
	u.Longest = make([]int64, streaksDefined)
}

// add takes one item in, which comes after those before it but for rows, starts and streaks.
func (w *world) add(u *rewards.User, i item) {
	switch i.kind {
	case aRow:
		def := w.earning.Wallets[i.of]
		u.Ledgers[i.of].Add(def, rewards.UnitAt(def, w.cal, i.at), i.row)
	case anActivity:
		def, k := w.earning.Achievements[i.of], &u.Achievements[i.of]
		o, _ := w.cal.OrdinalAt(def.Per, i.at)
		v := &w.mark(k, o, len(def.Criteria)).Values[i.k]
		v.N += i.n
		if !v.Met && v.N >= def.Criteria[i.k].AtLeast {
			v.Met, v.MetAt = true, i.at
		}
		if !k.Begun || i.at < k.First {
			k.Begun, k.First = true, i.at
		}
	case aRank: // a close of the period before
		def := w.earning.Achievements[i.of]
		o, _ := w.cal.OrdinalAt(def.Rank.Cycle, i.at)
		if v := &w.mark(&u.Achievements[i.of], o-1, 1).Values[0]; !v.Met {
			*v = rewards.Value{N: 1, Met: true, MetAt: i.at}
		}
	case aStart:
		k := &u.Missions[i.of]
		k.Starts = append(k.Starts, i.at)
		slices.Sort(k.Starts)
	case aStreak:
		u.Longest[i.of] = max(u.Longest[i.of], i.n)
	}
}

func (w *world) mark(k *rewards.Kept, o calendar.Ordinal, criteria int) *rewards.Mark {
	if n := len(k.Marks); n == 0 || k.Marks[n-1].Ordinal != o {
		k.Marks = append(k.Marks, rewards.Mark{Ordinal: o, Values: make([]rewards.Value, criteria)})
	}
	return &k.Marks[len(k.Marks)-1]
}

func (w *world) derive(u *rewards.User, now calendar.Instant) *rewards.View {
	v := new(rewards.View)
	w.calc.Derive(v, u, now, now)
	return v
}

func drawNow(t *rapid.T, w *world) calendar.Instant {
	now := epoch + calendar.Instant(number(t, 0, (spanDays+40)*24*60))*minute
	if chance(t, 30) {
		now = epoch + calendar.Instant(number(t, 0, spanDays+40))*aDay
	}
	if n := len(w.items); n > 0 && chance(t, 80) {
		now = max(now, w.items[n-1].at)
	}
	return now
}

func check(t *testing.T, f func(*rapid.T)) {
	t.Helper()
	for i := range 3 { // 100 worlds each; what fails is printed with its seed
		t.Run(strconv.Itoa(i), rapid.MakeCheck(f))
	}
}
