package catalog

import (
	"time"

	"laurel/internal/calendar"
)

func (b *builder) achievement(src *achievementSource, s site) *Achievement {
	a := &Achievement{ID: src.ID, Shown: src.shown(), Per: calendar.Cycle{Unit: calendar.All}, Gives: b.gives(&src.givesSource, s.path)}
	if per, ok := calendar.ParseUnit(src.Per); ok {
		a.Per.Unit = per
	}
	me := Derived{Achievements, s.index}
	b.given(me, a.Gives, s.path)
	if src.When != nil {
		a.Criteria = append(a.Criteria, Criterion{Condition: b.condition(&src.conditionSource, s.path), Of: -1})
	}
	for i, c := range src.Any {
		if c != nil {
			a.Criteria = append(a.Criteria, b.criterion(c, me, s.path.to("any", i)))
		}
	}
	for i, c := range src.All {
		if c != nil {
			a.All = true
			a.Criteria = append(a.Criteria, b.criterion(c, me, s.path.to("all", i)))
		}
	}
	if src.Rank != nil {
		a.Rank = b.rank(src.Rank, s.path.to("rank"))
	}
	b.per(a, s.path)
	return a
}

// criterion reads one of any or all. Of several things to look at, which is a structural fault, one is left.
func (b *builder) criterion(src *criterionSource, me Derived, p path) Criterion {
	least := int64(0)
	if src.AtLeast != nil {
		least = int64(*src.AtLeast)
	}
	switch {
	case src.Streak != "":
		return Criterion{Kind: OfStreak, Of: b.ref(Streaks, src.Streak, p.to("streak")), Condition: Condition{AtLeast: least}}
	case src.Wallet != "":
		at := p.to("wallet")
		c := Criterion{Kind: OfWallet, Of: b.ref(Wallets, src.Wallet, at)}
		c.AtLeast = b.inWallet(c.Of, src.AtLeast, p.to("at_least"))
		if c.Of >= 0 {
			c.Decimals = b.catalog.Wallets[c.Of].Decimals
		}
		b.rests(me, Derived{Wallets, c.Of}, at)
		return c
	case src.Level != "":
		return Criterion{Kind: OfLevel, Of: b.step(src.Level, least, me, p), Condition: Condition{AtLeast: least}}
	case src.Achievement != "":
		at := p.to("achievement")
		c := Criterion{Kind: OfAchievement, Of: b.ref(Achievements, src.Achievement, at), Condition: Condition{AtLeast: 1}}
		b.rests(me, Derived{Achievements, c.Of}, at)
		return c
	}
	return Criterion{Condition: b.condition(&src.conditionSource, p), Of: -1}
}

// step finds the level that something needs a step of.
func (b *builder) step(id string, step int64, me Derived, p path) (level int) {
	at := p.to("level")
	level = b.ref(Levels, id, at)
	b.rests(me, Derived{Levels, level}, at)
	if level < 0 {
		return level
	}
	if steps := len(b.catalog.Levels[level].Steps); step > int64(steps) {
		b.report.at(p.to("at_least"), "the level %s has only %s", id, counted(steps, "step"))
	}
	return level
}

func (b *builder) rank(src *rankSource, p path) *RankCriterion {
	rule := b.ref(Rules, src.Rule, p.to("rule"))
	return &RankCriterion{Rule: rule, Cycle: b.closing(rule, src.Cycle, p.to("cycle")), AtMost: src.AtMost}
}

// closing finds a cycle of a rule, one whose periods close.
func (b *builder) closing(rule int, word string, p path) calendar.Cycle {
	cycle := b.cycleOf(rule, word, p)
	if cycle.Unit == calendar.All {
		b.report.at(p, "all never closes, so there is no rank at its end")
	}
	return cycle
}

// cycleOf finds a cycle of a rule. The zero cycle is none.
func (b *builder) cycleOf(rule int, word string, p path) calendar.Cycle {
	if rule < 0 || word == "" {
		return calendar.Cycle{}
	}
	r := b.catalog.Rules[rule]
	cycle, ok := r.Cycle(word)
	if !ok && !b.faultyCycles[rule] {
		b.report.at(p, "%s is no cycle of the rule %s", quoted(word), r.ID)
	}
	return cycle
}

// per checks that what is folded by period is of activities.
func (b *builder) per(a *Achievement, p path) {
	if a.Per.Unit == calendar.All {
		return
	}
	for _, c := range a.Criteria {
		if c.Kind != OfActivities {
			b.report.at(p.to("per"), "%s goes together with criteria over activities only: of others it is not known what they were in a period", a.Per)
			return
		}
	}
}

func (b *builder) mission(src *missionSource, s site) *Mission {
	m := &Mission{ID: src.ID, Shown: src.shown(), Required: src.Start == "required", Attempts: 1, Gives: b.gives(&src.givesSource, s.path)}
	me := Derived{Missions, s.index}
	b.given(me, m.Gives, s.path)
	override(&m.Attempts, src.Attempts)
	m.Within = b.lasting(src.Within, s.path.to("within"))
	for i, need := range src.Needs {
		if need == nil {
			continue
		}
		at := s.path.to("needs", i)
		made := Need{Kind: OfAchievement, Step: need.AtLeast}
		if need.Level != "" {
			made.Kind, made.Of = OfLevel, b.step(need.Level, int64(need.AtLeast), me, at)
		} else {
			made.Of = b.ref(Achievements, need.Achievement, at.to("achievement"))
			b.rests(me, Derived{Achievements, made.Of}, at.to("achievement"))
		}
		m.Needs = append(m.Needs, made)
	}
	return m
}

// lasting reads a duration that, where it is given, lasts.
func (b *builder) lasting(src *durationSource, p path) (d time.Duration) {
	override(&d, (*time.Duration)(src))
	if src != nil && d == 0 {
		b.report.at(p, "must be longer than 0s; left out, there is no end")
	}
	return d
}
