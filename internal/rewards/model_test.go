package rewards_test

import (
	"cmp"
	"slices"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// model says naively what a user has: each question walks all items again, days are stepped over one by one, and what rests on something else asks it.
type model struct {
	*world
	items []item
	now   calendar.Instant
	noted map[rewards.Note]calendar.Instant // by Of and Start
	memo  map[catalog.Derived][]rewards.Completion
}

func (w *world) model(items []item, now calendar.Instant, u *rewards.User) *model {
	m := &model{world: w, items: items, now: now, noted: map[rewards.Note]calendar.Instant{}, memo: map[catalog.Derived][]rewards.Completion{}}
	for i, k := range u.Achievements {
		m.noted[rewards.Note{Of: catalog.Derived{Kind: "achievements", Index: i}}] = k.Noted
	}
	for i, k := range u.Missions {
		of := catalog.Derived{Kind: "missions", Index: i}
		m.noted[rewards.Note{Of: of}] = k.Noted
		if !w.earning.Missions[i].Required && len(k.Starts) > 0 {
			m.noted[rewards.Note{Of: of, Start: true}] = k.Starts[0]
		}
	}
	return m
}

// since is a noted instant, or now.
func (m *model) since(n rewards.Note) calendar.Instant {
	if at := m.noted[n]; at != 0 {
		return at
	}
	return m.now
}

// civil is the local date as a UTC midnight.
func (m *model) civil(at calendar.Instant) time.Time {
	y, mo, d := time.UnixMilli(int64(at)).In(m.zone).Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)
}

// periodOf numbers the period that holds a date.
func periodOf(u calendar.Unit, d time.Time) calendar.Ordinal {
	days := int(d.Unix() / 86400)
	months := (d.Year()-1970)*12 + int(d.Month()) - 1
	switch u {
	case calendar.Day:
		return calendar.Ordinal(days)
	case calendar.Week:
		return calendar.Ordinal((days + 3) / 7) // 1970-01-01 was a Thursday
	case calendar.Month:
		return calendar.Ordinal(months)
	case calendar.Quarter:
		return calendar.Ordinal(months / 3)
	case calendar.Year:
		return calendar.Ordinal(d.Year() - 1970)
	}
	return 0
}

// beginning is the first instant at which the local date is at least d, found by stepping.
func (m *model) beginning(d time.Time) calendar.Instant {
	at := calendar.InstantOf(d) - 2*aDay
	for m.civil(at).Before(d) {
		at += 15 * minute
	}
	return at
}

// all are the completions of an achievement or a mission.
func (m *model) all(of catalog.Derived) []rewards.Completion {
	if done, ok := m.memo[of]; ok {
		return done
	}
	var done []rewards.Completion
	if of.Kind == "missions" {
		if x := m.mission(of.Index); x.Status == rewards.Completed {
			done = append(done, rewards.Completion{Of: of, At: x.CompletedAt})
		}
	} else {
		for _, p := range m.periods(of.Index) {
			if at, ok := m.holds(of.Index, p); ok {
				done = append(done, rewards.Completion{Of: of, Period: p, At: at})
			}
		}
	}
	m.memo[of] = done
	return done
}

// periods are those in which something happened for an achievement, in order.
func (m *model) periods(i int) []calendar.Ordinal {
	a := m.earning.Achievements[i]
	if a.Rank == nil && a.Per.Unit == calendar.All {
		return []calendar.Ordinal{0}
	}
	var list []calendar.Ordinal
	for _, x := range m.items {
		if x.of == i && (x.kind == anActivity || x.kind == aRank) {
			list = append(list, m.itemPeriod(x))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (m *model) itemPeriod(x item) calendar.Ordinal {
	a := m.earning.Achievements[x.of]
	if x.kind == aRank {
		return periodOf(a.Rank.Cycle.Unit, m.civil(x.at)) - 1
	}
	return periodOf(a.Per.Unit, m.civil(x.at))
}

// folded is what a criterion over activities came to in a period, and when it was first at least n.
func (m *model) folded(i, k int, p calendar.Ordinal) (sum int64, at calendar.Instant, met bool) {
	least := m.earning.Achievements[i].Criteria[k].AtLeast
	for _, x := range m.items {
		if x.kind == anActivity && x.of == i && x.k == k && m.itemPeriod(x) == p {
			sum += x.n
			if !met && sum >= least {
				met, at = true, x.at
			}
		}
	}
	return sum, at, met
}

func (m *model) holds(i int, p calendar.Ordinal) (calendar.Instant, bool) {
	a := m.earning.Achievements[i]
	if a.Rank != nil {
		for _, x := range m.items {
			if x.kind == aRank && x.of == i && m.itemPeriod(x) == p {
				return x.at, true
			}
		}
	}
	var instants []calendar.Instant
	for k := range a.Criteria {
		if at, ok := m.criterion(i, k, p); ok {
			instants = append(instants, at)
		}
	}
	if len(instants) == 0 || a.All && len(instants) < len(a.Criteria) {
		return 0, false
	}
	if m.isNoted(i) {
		return m.since(rewards.Note{Of: catalog.Derived{Kind: "achievements", Index: i}}), true
	}
	if a.All {
		return slices.Max(instants), true
	}
	return slices.Min(instants), true
}

// isNoted says whether an achievement rests on anything but activities, itself or through another.
func (m *model) isNoted(i int) bool {
	return slices.ContainsFunc(m.earning.Achievements[i].Criteria, func(c catalog.Criterion) bool {
		return c.Kind != catalog.OfActivities && (c.Kind != catalog.OfAchievement || m.isNoted(c.Of))
	})
}

func (m *model) criterion(i, k int, p calendar.Ordinal) (calendar.Instant, bool) {
	c := m.earning.Achievements[i].Criteria[k]
	switch c.Kind {
	case catalog.OfActivities:
		_, at, met := m.folded(i, k, p)
		return at, met
	case catalog.OfAchievement:
		if done := m.all(catalog.Derived{Kind: "achievements", Index: c.Of}); len(done) > 0 {
			return done[0].At, true
		}
		return 0, false
	}
	return 0, m.value(c) >= c.AtLeast
}

func (m *model) value(c catalog.Criterion) int64 {
	switch c.Kind {
	case catalog.OfStreak:
		return m.longest(c.Of)
	case catalog.OfWallet:
		n, _ := m.earned(c.Of)
		return n
	}
	return int64(m.reached(c.Of))
}

func (m *model) longest(streak int) (n int64) {
	for _, x := range m.items {
		if x.kind == aStreak && x.of == streak {
			n = max(n, x.n)
		}
	}
	return n
}

func (m *model) reached(level int) (n int) {
	earned, _ := m.earned(m.earning.Levels[level].Wallet)
	for _, s := range m.earning.Levels[level].Steps {
		if s.At <= earned {
			n++
		}
	}
	return n
}

// rows are those of a wallet, completions' included.
func (m *model) rows(wallet int) (rows []rewards.Row) {
	for _, x := range m.items {
		if x.kind == aRow && x.of == wallet {
			rows = append(rows, x.row)
		}
	}
	give := func(of catalog.Derived, points []catalog.Points) {
		for _, p := range points {
			if p.Wallet == wallet {
				for _, done := range m.all(of) {
					rows = append(rows, rewards.Row{At: done.At, Type: rewards.Earn, Amount: p.Amount, Category: p.Category})
				}
			}
		}
	}
	for i, a := range m.earning.Achievements {
		give(catalog.Derived{Kind: "achievements", Index: i}, a.Points)
	}
	for i, a := range m.earning.Missions {
		give(catalog.Derived{Kind: "missions", Index: i}, a.Points)
	}
	slices.SortStableFunc(rows, func(x, y rewards.Row) int { return cmp.Compare(x.At, y.At) })
	return rows
}

func (m *model) earned(wallet int) (n int64, first calendar.Instant) {
	for _, r := range m.rows(wallet) {
		if r.Type == rewards.Earn {
			if n == 0 {
				first = r.At
			}
			n += r.Amount
		}
	}
	return n, first
}

// wallet steps over days, until now and the last credit or debit. expired are the rows of type Expire.
func (m *model) wallet(i int) (v rewards.Wallet, expired []rewards.Row) {
	def, rows := m.earning.Wallets[i], m.rows(i)
	for _, r := range rows {
		v.Balance += r.Amount
		switch r.Type {
		case rewards.Earn:
			v.Earned += r.Amount
			for c := range v.Categories {
				if int(r.Category) == c+1 {
					v.Categories[c] += r.Amount
				}
			}
		case rewards.Redeem:
			v.Redeemed -= r.Amount
		case rewards.Spend:
			v.Spent -= r.Amount
		case rewards.Refund:
			v.Refunded += r.Amount
		case rewards.Set:
			v.Set += r.Amount
		}
	}
	_, v.First = m.earned(i)
	if def.Expires == 0 {
		return v, nil
	}
	last := m.civil(m.now)
	for _, r := range rows {
		if r.Amount != 0 && m.civil(r.At).After(last) {
			last = m.civil(r.At)
		}
	}
	for day := m.civil(epoch).AddDate(0, -1, 0); !day.After(last); day = day.AddDate(0, 0, 1) {
		if def.Lots == calendar.Month && day.Day() != 1 {
			continue
		}
		expired = append(expired, m.expire(def, &v, day)...)
		m.unit(def, &v, rows, day)
	}
	for _, r := range expired {
		v.Expired -= r.Amount
		v.Balance += r.Amount
	}
	return v, expired
}

// expire takes away the lots of which the last day, or month, has ended when a unit begins.
func (m *model) expire(def *catalog.Wallet, v *rewards.Wallet, day time.Time) (rows []rewards.Row) {
	for len(v.Lots) > 0 {
		var end time.Time
		if def.Lots == calendar.Month {
			end = time.Date(1970, time.Month(int(v.Lots[0].Ordinal)+1+def.Expires+1), 1, 0, 0, 0, 0, time.UTC)
		} else {
			end = time.Unix(int64(v.Lots[0].Ordinal)*86400, 0).UTC().AddDate(0, 0, def.Expires+1)
		}
		if end.After(day) {
			return rows
		}
		rows = append(rows, rewards.Row{At: m.beginning(end), Type: rewards.Expire, Amount: -v.Lots[0].Left})
		v.Lots = v.Lots[1:]
	}
	return rows
}

// unit takes in the rows of a unit: all credits, then all debits, point by point.
func (m *model) unit(def *catalog.Wallet, v *rewards.Wallet, rows []rewards.Row, day time.Time) {
	o := periodOf(def.Lots, day)
	var in, out int64
	for _, r := range rows {
		if periodOf(def.Lots, m.civil(r.At)) == o {
			in, out = in+max(r.Amount, 0), out+max(-r.Amount, 0)
		}
	}
	lot := rewards.Lot{Ordinal: o}
	for ; in > 0; in-- {
		if v.Owed > 0 {
			v.Owed--
		} else {
			lot.Left++
		}
	}
	if lot.Left > 0 {
		v.Lots = append(v.Lots, lot)
	}
	for ; out > 0; out-- {
		if len(v.Lots) == 0 {
			v.Owed++
		} else if v.Lots[0].Left--; v.Lots[0].Left == 0 {
			v.Lots = v.Lots[1:]
		}
	}
}
