package rewards

import (
	"math/bits"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

func (d *deriver) achievement(i int) {
	def, kept, a := d.earning.Achievements[i], or(d.user.Achievements, i, &Kept{}), &d.view.Achievements[i]
	*a = Achievement{
		Times: kept.Times, FirstAt: kept.FirstAt, LastAt: kept.LastAt, Begun: kept.Begun, First: kept.First,
		completions: span{from: len(d.view.Completions)}, summed: kept.Times, last: kept.Last,
	}
	switch {
	case def.Rank != nil:
		for m := range kept.Marks {
			d.period(i, &kept.Marks[m])
		}
		d.standing(a)
	case def.Per.Unit == calendar.All:
		d.ever(i, kept)
	default:
		for m := range kept.Marks {
			d.period(i, &kept.Marks[m])
		}
		d.currently(i, kept)
	}
	a.completions.to = len(d.view.Completions)
}

// ever is an achievement that is completed once.
func (d *deriver) ever(i int, kept *Kept) {
	a, m := &d.view.Achievements[i], or(kept.Marks, 0, &Mark{})
	at, met := d.judge(i, m)
	switch {
	case kept.Times > 0:
		a.CompletedAt = kept.LastAt
		d.view.Stale = d.view.Stale || kept.Noted != 0 && !met
	case met && d.Calculus.achievements[i] && kept.Noted != 0:
		at = kept.Noted
	case met && d.Calculus.achievements[i]:
		at = d.noticed
	}
	if met && kept.Times == 0 {
		d.completed(i, 0, at)
		a.CompletedAt = at
	}
	d.progress(i, m, a.Times > 0)
	for k := range d.earning.Achievements[i].Criteria {
		d.begin(a, &d.earning.Achievements[i].Criteria[k])
	}
	if a.Times > 0 {
		a.begin(true, a.FirstAt)
	}
}

// currently is what is shown of the current period of one that can be completed in each.
func (d *deriver) currently(i int, kept *Kept) {
	def, a := d.earning.Achievements[i], &d.view.Achievements[i]
	today := d.today(def.Per.Unit)
	m := &Mark{}
	for k := len(kept.Marks) - 1; k >= 0 && kept.Marks[k].Ordinal >= today; k-- {
		if kept.Marks[k].Ordinal == today {
			m = &kept.Marks[k]
		}
	}
	at, met := d.judge(i, m)
	if met {
		a.CompletedAt = at
	}
	d.progress(i, m, met)
}

// standing is what is shown of one by rank.
func (d *deriver) standing(a *Achievement) {
	a.Max, a.parts = 1, span{len(d.view.parts), len(d.view.parts)}
	if a.Times > 0 {
		a.Part, a.CompletedAt = Part{Progress: 1, Max: 1, Met: true}, a.LastAt
		a.Begun, a.First = true, a.FirstAt
	}
}

// period completes an achievement in the period of a mark, if it was not summed up.
func (d *deriver) period(i int, m *Mark) {
	a := &d.view.Achievements[i]
	if a.summed > 0 && m.Ordinal <= a.last {
		return
	}
	if at, met := d.judge(i, m); met {
		d.completed(i, m.Ordinal, at)
	}
}

func (d *deriver) completed(i int, period calendar.Ordinal, at calendar.Instant) {
	a := &d.view.Achievements[i]
	if a.Times == 0 {
		a.FirstAt = at
	}
	a.Times++
	a.LastAt = at
	d.complete(catalog.Derived{Kind: achievements, Index: i}, &d.earning.Achievements[i].Gives, period, at)
}

// judge says whether the criteria hold in a period, and since when as far as activities tell.
func (d *deriver) judge(i int, m *Mark) (at calendar.Instant, met bool) {
	def := d.earning.Achievements[i]
	if def.Rank != nil {
		return m.Values[0].MetAt, m.Values[0].Met
	}
	n := 0
	for k := range def.Criteria {
		since, holds := d.criterion(&def.Criteria[k], or(m.Values, k, &Value{}))
		if !holds {
			continue
		}
		if n++; n == 1 || def.All == (since > at) {
			at = since
		}
	}
	if n == 0 || def.All && n < len(def.Criteria) {
		return 0, false
	}
	return at, true
}

// criterion says whether a criterion holds, and since when if activities, or an achievement, tell.
func (d *deriver) criterion(c *catalog.Criterion, v *Value) (since calendar.Instant, holds bool) {
	switch c.Kind {
	case catalog.OfActivities:
		return v.MetAt, v.Met
	case catalog.OfAchievement:
		a := &d.view.Achievements[c.Of]
		return a.FirstAt, a.Times > 0
	}
	return 0, d.value(c) >= c.AtLeast
}

// value is what a criterion of another kind looks at.
func (d *deriver) value(c *catalog.Criterion) int64 {
	switch c.Kind {
	case catalog.OfStreak:
		if c.Of < len(d.user.Longest) {
			return d.user.Longest[c.Of]
		}
	case catalog.OfWallet:
		return d.view.Wallets[c.Of].Earned
	case catalog.OfLevel:
		return int64(d.view.Levels[c.Of].Index)
	}
	return 0
}

// progress shows how near the criteria are in the period of a mark: of one its own, of all how many are met, of any those of the one nearest to its end, the first of equals.
func (d *deriver) progress(i int, m *Mark, met bool) {
	def, a := d.earning.Achievements[i], &d.view.Achievements[i]
	a.parts.from = len(d.view.parts)
	for k := range def.Criteria {
		c, v := &def.Criteria[k], or(m.Values, k, &Value{})
		_, holds := d.criterion(c, v)
		p := partOf(v.N, c.AtLeast, holds)
		switch c.Kind {
		case catalog.OfAchievement:
			p = partOf(0, 1, holds)
		case catalog.OfStreak, catalog.OfWallet, catalog.OfLevel:
			p = partOf(d.value(c), c.AtLeast, holds)
		}
		d.view.parts = append(d.view.parts, p)
	}
	a.parts.to = len(d.view.parts)
	parts := d.view.parts[a.parts.from:a.parts.to]
	if def.All && len(parts) > 1 {
		a.Part = Part{Max: int64(len(parts))}
		for _, p := range parts {
			if p.Met {
				a.Progress++
			}
		}
	} else {
		for k, p := range parts {
			if k == 0 || p.nearer(a.Part) {
				a.Part = p
			}
		}
	}
	if a.Met = met; met {
		a.Progress = a.Max
	}
}

func partOf(value, atLeast int64, met bool) Part {
	p := Part{Max: max(atLeast, 0), Met: met}
	p.Progress = min(max(value, 0), p.Max)
	if met {
		p.Progress = p.Max
	}
	return p
}

// nearer says whether Progress / Max is greater than another's, exactly; what is met is nearest.
func (p Part) nearer(o Part) bool {
	if p.Met || o.Met {
		return p.Met && !o.Met
	}
	high, low := bits.Mul64(uint64(p.Progress), uint64(o.Max))
	otherHigh, otherLow := bits.Mul64(uint64(o.Progress), uint64(p.Max))
	return high > otherHigh || high == otherHigh && low > otherLow
}

// begin takes down when a criterion that does not look at activities began.
func (d *deriver) begin(a *Achievement, c *catalog.Criterion) {
	switch c.Kind {
	case catalog.OfStreak:
		a.begin(d.value(c) > 0, d.now)
	case catalog.OfWallet:
		w := &d.view.Wallets[c.Of]
		a.begin(w.Earned > 0, w.First)
	case catalog.OfLevel:
		w := &d.view.Wallets[d.earning.Levels[c.Of].Wallet]
		a.begin(w.Earned > 0, w.First)
	case catalog.OfAchievement:
		o := &d.view.Achievements[c.Of]
		a.begin(o.Begun, o.First)
	}
}

func (a *Achievement) begin(begun bool, at calendar.Instant) {
	if begun && (!a.Begun || at < a.First) {
		a.Begun, a.First = true, at
	}
}
