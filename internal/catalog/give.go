package catalog

import (
	"cmp"
	"maps"
	"slices"

	"laurel/internal/calendar"
)

func (b *builder) reward(src *rewardSource, s site) *Reward {
	r := &Reward{
		ID: src.ID, Shown: src.shown(), Entry: src.Type == "entry", Stock: -1, Code: src.Code,
		Expires:       b.lasting(src.Expires, s.path.to("expires")),
		EventCategory: src.EventCategory, EventSubCategory: src.EventSubCategory, Community: src.Community, RedeemableType: src.RedeemableType,
	}
	override(&r.Stock, src.Stock)
	r.Price = b.price(src.Price, s.path.to("price"))
	return r
}

// price reads points that are paid; nil for none.
func (b *builder) price(src *pointsSource, p path) *Points {
	if src == nil {
		return nil
	}
	points := b.points(src, p)
	return &points
}

func (b *builder) gift(src *giftSource, s site) *Gift {
	g := &Gift{ID: src.ID, Shown: src.shown(), Cost: b.price(src.Cost, s.path.to("cost")), Reward: -1}
	at := s.path.to("gives")
	if src.Gives.Reward != "" {
		g.Reward = b.ref(Rewards, src.Gives.Reward, at.to("reward"))
	} else if src.Gives.Wallet != "" {
		g.Points = b.price(&src.Gives.pointsSource, at)
	}
	return g
}

func (b *builder) bounty(src *bountySource, s site) *Bounty {
	made := &Bounty{ID: src.ID, Shown: src.shown(), Wallet: b.ref(Wallets, src.Wallet, s.path.to("wallet")), Min: 1, Max: MaxExact}
	if src.Min != nil {
		made.Min = b.inWallet(made.Wallet, src.Min, s.path.to("min"))
	}
	if src.Max != nil {
		made.Max = b.inWallet(made.Wallet, src.Max, s.path.to("max"))
	}
	if made.Wallet >= 0 && made.Max < made.Min {
		b.report.at(s.path.to("max"), "is less than min")
	}
	return made
}

// kpi takes the targets in the order of the rule's cycles.
func (b *builder) kpi(src *kpiSource, s site) *KPI {
	k := &KPI{ID: src.ID, Shown: src.shown(), Rule: b.ref(Rules, src.Rule, s.path.to("rule"))}
	if k.Rule < 0 {
		return k
	}
	r := b.catalog.Rules[k.Rule]
	for _, word := range slices.Sorted(maps.Keys(src.Targets)) {
		at := s.path.to("targets", word)
		cycle := b.cycleOf(k.Rule, word, at)
		target, _ := b.amount(src.Targets[word], r.Decimals, at)
		k.Targets = append(k.Targets, Target{Cycle: cycle, Target: target})
	}
	order := func(t Target) int {
		return slices.IndexFunc(r.Cycles, func(c calendar.Cycle) bool { return c.Key() == t.Cycle.Key() })
	}
	slices.SortStableFunc(k.Targets, func(a, b Target) int { return cmp.Compare(order(a), order(b)) })
	return k
}

// targetGroup reads the rules that share a cycle; streaks have their length in any.
func (b *builder) targetGroup(src *groupSource, s site) *TargetGroup {
	g := &TargetGroup{ID: src.ID, Shown: src.shown(), Explicit: src.Enrolment == "explicit", Leaderboard: true, Active: true}
	override(&g.Leaderboard, src.Leaderboard)
	override(&g.Active, src.Active)
	for i, id := range src.Rules {
		g.Rules = append(g.Rules, b.member(id, s.path.to("rules", i)))
	}
	b.shared(g, src, s.path)
	return g
}

// member finds a rule, or a streak: they share their ids.
func (b *builder) member(id string, p path) GroupRule {
	if i, ok := b.known[Streaks].index[id]; ok && id != "" {
		return GroupRule{Streak: true, Index: i}
	}
	if i, ok := b.known[Rules].index[id]; ok && id != "" {
		return GroupRule{Index: i}
	}
	if id != "" && b.known[Rules].whole && b.known[Streaks].whole {
		b.report.at(p, "there is no rule or streak %s", quoted(id))
	}
	return GroupRule{Index: -1}
}

// shared finds the cycle that all rules of a group have. A group of streaks alone has one that needs nothing beside its name.
func (b *builder) shared(g *TargetGroup, src *groupSource, p path) {
	var first *Rule
	streaksOnly := true
	for i, member := range g.Rules {
		if member.Streak {
			continue
		}
		streaksOnly = false
		cycle := b.cycleOf(member.Index, src.Cycle, p.to("rules", i))
		switch {
		case cycle.Unit == 0: // noted
		case first == nil:
			first, g.Cycle = b.catalog.Rules[member.Index], cycle
		case cycle.Key() != g.Cycle.Key():
			b.report.at(p.to("rules", i), "%s of the rule %s begins on another date than that of %s", src.Cycle, b.catalog.Rules[member.Index].ID, first.ID)
		}
	}
	if unit, ok := calendar.ParseUnit(src.Cycle); streaksOnly && ok {
		g.Cycle.Unit = unit
	} else if streaksOnly && src.Cycle != "" {
		b.report.at(p.to("cycle"), "%s is the cycle of no rule of this group", quoted(src.Cycle))
	}
}

// prize takes the ranges in order.
func (b *builder) prize(src *prizeSource, s site) *Prize {
	z := &Prize{ID: src.ID, Shown: src.shown(), Rule: b.ref(Rules, src.Rule, s.path.to("rule"))}
	z.Cycle = b.closing(z.Rule, src.Cycle, s.path.to("cycle"))
	at := map[int]path{} // of the range that begins there
	for i, r := range src.Ranks {
		if r == nil || r.From == 0 {
			continue
		}
		p := s.path.to("ranks", i)
		made := PrizeRank{From: r.From, To: cmp.Or(r.To, r.From), Gives: b.gives(&r.givesSource, p)}
		if made.To < made.From {
			b.report.at(p.to("to"), "%d is less than from, which is %d", made.To, made.From)
			continue
		}
		if _, dup := at[made.From]; dup {
			b.report.at(p, "rank %d is in another range too", made.From)
			continue
		}
		at[made.From] = p
		z.Ranks = append(z.Ranks, made)
	}
	slices.SortFunc(z.Ranks, func(a, b PrizeRank) int { return cmp.Compare(a.From, b.From) })
	for i, r := range z.Ranks {
		if i > 0 && r.From <= z.Ranks[i-1].To {
			b.report.at(at[r.From], "rank %d is in another range too", r.From)
		}
	}
	return z
}
