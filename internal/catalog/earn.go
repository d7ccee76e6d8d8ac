package catalog

import (
	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// places are the ids of one kind: the index that each will have in the list of the compiled ones.
type places struct {
	index map[string]int
	// whole says that no definition is lost to a fault: only then is a name that is not there a fault of its own.
	whole bool
}

// declare notes the ids of a kind before anything is built, as definitions refer to others in any order, and checks that ids and numbers are unique.
func declare[S any, P interface {
	*S
	head() *headSource
}](b *builder, k Kind, items []*S) {
	known := &places{index: make(map[string]int, len(items)), whole: b.allOf(k, len(items))}
	ids, numbers := map[string]int{}, map[int64]int{}
	made := 0
	for i, item := range items {
		if item == nil {
			known.whole = false
			continue
		}
		head, p := P(item).head(), b.at.to(string(k), i)
		if first, dup := taken(ids, head.ID, i); dup {
			b.report.at(p.to("id"), "the id %s is that of %s[%d] too", head.ID, k, first)
		}
		if first, dup := taken(numbers, head.Number, i); dup {
			b.report.at(p.to("number"), "the number %d is that of %s[%d] too", head.Number, k, first)
		}
		known.index[head.ID] = made
		known.whole = known.whole && head.ID != ""
		made++
	}
	b.known[k] = known
}

// allOf says that the list of a kind has as many items as the source says, and was not taken out as faulty.
func (b *builder) allOf(k Kind, n int) bool {
	list := b.report.tree.find(b.at.to(string(k)))
	return list == nil || list.shape == isArray && len(list.items) == n
}

// declareAll notes the ids of everything that is earned.
func (b *builder) declareAll(src *earningSource) {
	declare(b, Wallets, src.Wallets)
	declare(b, Awards, src.Awards)
	declare(b, Levels, src.Levels)
	declare(b, Achievements, src.Achievements)
	declare(b, Missions, src.Missions)
	declare(b, Rewards, src.Rewards)
	declare(b, Gifts, src.Gifts)
	declare(b, Bounties, src.Bounties)
	declare(b, KPIs, src.KPIs)
	declare(b, TargetGroups, src.TargetGroups)
	declare(b, Prizes, src.Prizes)
	declare(b, Webhooks, src.Webhooks)
	declare(b, Hooks, src.Hooks)
}

// declareBoards notes the ids of rules and streaks, once they are built.
func (b *builder) declareBoards() {
	rules := &places{index: map[string]int{}, whole: b.allOf(Rules, len(b.catalog.Rules))}
	for i, r := range b.catalog.Rules {
		rules.index[r.ID] = i
		rules.whole = rules.whole && r.ID != ""
	}
	streaks := &places{index: map[string]int{}, whole: b.allOf(Streaks, len(b.catalog.Streaks))}
	for i, s := range b.catalog.Streaks {
		streaks.index[s.ID] = i
		streaks.whole = streaks.whole && s.ID != ""
	}
	b.known[Rules], b.known[Streaks] = rules, streaks
}

// earning builds what is earned, after rules and streaks.
func (b *builder) earning(src *earningSource) {
	c := b.catalog
	c.Wallets = each(b, Wallets, src.Wallets, b.wallet)
	c.Rewards = each(b, Rewards, src.Rewards, b.reward)
	c.Levels = each(b, Levels, src.Levels, b.level)
	c.Awards = each(b, Awards, src.Awards, b.award)
	c.Achievements = each(b, Achievements, src.Achievements, b.achievement)
	c.Missions = each(b, Missions, src.Missions, b.mission)
	c.Gifts = each(b, Gifts, src.Gifts, b.gift)
	c.Bounties = each(b, Bounties, src.Bounties, b.bounty)
	c.KPIs = each(b, KPIs, src.KPIs, b.kpi)
	c.TargetGroups = each(b, TargetGroups, src.TargetGroups, b.targetGroup)
	c.Prizes = each(b, Prizes, src.Prizes, b.prize)
	c.Webhooks = each(b, Webhooks, src.Webhooks, b.webhook)
	c.Hooks = each(b, Hooks, src.Hooks, b.hook)
	for i, w := range c.Wallets {
		w.Print = w.print(c, i).sum()
	}
	for _, a := range c.Achievements {
		a.Print = a.print(c).sum()
	}
	b.order()
	b.doors(&src.Doors, b.at.to("doors"))
	c.places = b.known
}

// site is where a definition stands: the path in the source, and the index that it will have.
type site struct {
	path  path
	index int
}

// each builds all definitions of a kind that are there.
func each[S, T any](b *builder, k Kind, items []*S, build func(*S, site) *T) (made []*T) {
	for i, src := range items {
		if src != nil {
			made = append(made, build(src, site{b.at.to(string(k), i), len(made)}))
		}
	}
	return made
}

// ref finds what an id refers to, or is -1, which is noted unless the id itself is faulty.
func (b *builder) ref(k Kind, id string, p path) int {
	if id == "" {
		return -1
	}
	i, some := b.known[k].index[id]
	if some {
		return i
	}
	if b.known[k].whole {
		b.report.at(p, "there is no %s %s", k.noun(), quoted(id))
	}
	return -1
}

// amount scales a number by the decimals of what it is an amount of. That it does not fit is noted.
func (b *builder) amount(v float64, decimals int, p path) (n int64, fits bool) {
	n, err := Round(v, decimals)
	switch {
	case err != nil:
		b.report.at(p, "%s is beyond ±2^53 in %d decimals", plainNumber(v), decimals)
	case plainNumber(v) != string(FormatScaled(nil, n, decimals)):
		b.report.at(p, "%s has more digits after the point than the %d of decimals", plainNumber(v), decimals)
	default:
		return n, true
	}
	return n, false
}

// inWallet scales an amount by the wallet's decimals. Of a wallet that there is not, or an amount that is faulty, it is 0.
func (b *builder) inWallet(wallet int, v *float64, p path) int64 {
	if wallet < 0 || v == nil {
		return 0
	}
	n, _ := b.amount(*v, b.catalog.Wallets[wallet].Decimals, p)
	return n
}

func (b *builder) wallet(src *walletSource, _ site) *Wallet {
	w := &Wallet{ID: src.ID, Shown: src.shown(), Decimals: src.Decimals, Categories: src.Categories}
	switch {
	case src.Expires.Days > 0:
		w.Lots, w.Expires = calendar.Day, src.Expires.Days
	case src.Expires.Months > 0:
		w.Lots, w.Expires = calendar.Month, src.Expires.Months
	}
	return w
}

func (b *builder) award(src *awardSource, s site) *Award {
	a := &Award{ID: src.ID, Selector: b.selector(src.When, nil, 0, s.path), Wallet: b.ref(Wallets, src.Wallet, s.path.to("wallet"))}
	a.Category = b.category(a.Wallet, src.Category, s.path)
	a.Fold = Sum
	if a.Wallet >= 0 {
		a.Decimals = b.catalog.Wallets[a.Wallet].Decimals
	}
	switch at := s.path.to("points"); {
	case src.Points == nil:
	case src.Points.Text != "":
		a.value = b.expression(src.Points.Text, b.scope(&a.Selector), false, Sum, at)
	default:
		a.constant = b.inWallet(a.Wallet, &src.Points.Number, at)
	}
	return a
}

// Earns is what an activity earns, above 0 and scaled by the wallet's decimals; 0 where the award does not select it, or its value is not above 0. It
// fails as Eval.
func (a *Award) Earns(in *Input) (amount int64, err error) {
	v, ok, err := a.Eval(in)
	if !ok {
		return 0, err
	}
	return max(v.N, 0), nil
}

// category reads the category of what goes into a wallet.
func (b *builder) category(wallet int, word string, p path) Category {
	if word != "" && wallet >= 0 && !b.catalog.Wallets[wallet].Categories {
		b.report.at(p.to("category"), "the wallet %s has no categories", b.catalog.Wallets[wallet].ID)
	}
	return categoryOf(word)
}

// points reads an amount that goes into, or out of, a wallet.
func (b *builder) points(src *pointsSource, p path) Points {
	wallet := b.ref(Wallets, src.Wallet, p.to("wallet"))
	return Points{Wallet: wallet, Amount: b.inWallet(wallet, src.Points, p.to("points")), Category: b.category(wallet, src.Category, p)}
}

// gives reads what a completion or a prize gives.
func (b *builder) gives(src *givesSource, p path) (g Gives) {
	for i, points := range src.Points {
		if points != nil {
			g.Points = append(g.Points, b.points(points, p.to("points", i)))
		}
	}
	g.Grants = b.grants(src.Grants, p)
	return g
}

func (b *builder) grants(ids []string, p path) (grants []int) {
	for i, id := range ids {
		grants = append(grants, b.ref(Rewards, id, p.to("grants", i)))
	}
	return grants
}

func (b *builder) level(src *levelSource, s site) *Level {
	l := &Level{ID: src.ID, Shown: src.shown(), Wallet: b.ref(Wallets, src.Wallet, s.path.to("wallet"))}
	b.rests(Derived{Levels, s.index}, Derived{Wallets, l.Wallet}, s.path.to("wallet"))
	last := int64(-1)
	for i, step := range src.Steps {
		if step == nil {
			continue
		}
		at := s.path.to("steps", i)
		made := Step{At: b.inWallet(l.Wallet, step.At, at.to("at")), Name: step.Name, Grants: b.grants(step.Grants, at)}
		if step.At != nil && l.Wallet >= 0 {
			if made.At <= last {
				b.report.at(at.to("at"), "%s is not above the step before", plainNumber(*step.At))
			}
			if made.At == 0 && len(made.Grants) > 0 {
				b.report.at(at.to("grants"), "whoever has earned nothing is at this step already: it cannot be reached, and grants nothing")
			}
			last = made.At
		}
		l.Steps = append(l.Steps, made)
	}
	return l
}

// named gives the kind of definition whose id is the name of activities of a kind.
func named(k activity.Kind) (Kind, bool) {
	switch k {
	case activity.Point:
		return Wallets, true
	case activity.Coupon:
		return Rewards, true
	case activity.Gift:
		return Gifts, true
	case activity.Bounty:
		return Bounties, true
	}
	return "", false
}
