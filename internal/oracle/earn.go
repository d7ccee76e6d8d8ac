package oracle

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Earning is what an org's activities earn. Definitions refer to others by their place in the list.
type Earning struct {
	Wallets      []Wallet
	Awards       []Award
	Levels       []Level
	Achievements []Achievement
	Missions     []Mission
	Bounties     []Bounty
	Gifts        []Gift
	Coupons      []Points // prices
}

// Wallet is a ledger. What is credited in a day, or month, can be spent for so many after it; 0: without end.
type Wallet struct{ Days, Months, Decimals int }

// Award gives what its selector, of fold sum, gives above 0. Category is from 1; 0 for none.
type Award struct {
	Selector
	Wallet, Category int
}

// Level is steps over what a wallet ever earned.
type Level struct {
	Wallet int
	Steps  []int64
}

// Points are given by a completion.
type Points struct {
	Wallet   int
	Amount   int64
	Category int
}

// Criterion looks at activities (Kind ""), or at a "streak", "wallet", "level", "achievement".
type Criterion struct {
	Kind string
	Condition
	Of     int
	Streak *Streak
}

// Achievement is completed in each period, or once with the cycle "all". One by Rank has no criteria: credits complete it.
type Achievement struct {
	Rank     bool
	All      bool
	Criteria []Criterion
	Per      Cycle
	Points   []Points
}

// Mission needs achievements, or steps (from 1) of levels.
type Mission struct {
	Needs    []Need
	Required bool
	Within   time.Duration
	Attempts int
	Points   []Points
}

// Need is an "achievement" or a "level".
type Need struct {
	Kind     string
	Of, Step int
}

// Earner is a user of a model who earns. Noted are the instants that no activity gives, by what they are of; those that are Final hold whatever comes.
type Earner struct {
	*Model
	Earning
	User   string
	Noted  map[string]time.Time
	Final  map[string]bool
	Starts map[int][]time.Time
}

// Earned is what is shown of a user.
type Earned struct {
	Wallets      []EarnedWallet
	Levels       []int
	Achievements []EarnedAchievement
	Missions     []EarnedMission
}

// EarnedWallet is what rows amount to.
type EarnedWallet struct {
	Earned, Expired, Balance       int64
	Redeemed, Spent, Refunded, Set int64
	Categories                     [6]int64
}

// EarnedAchievement is how a user stands with one, in the current period but for Times, FirstAt and LastAt.
type EarnedAchievement struct {
	Progress, Max                int64
	CompletedAt, FirstAt, LastAt time.Time
	Times                        int
}

// EarnedMission is how a user stands with one.
type EarnedMission struct {
	Status             string
	Attempts, Failures int
	StartedAt, Done    time.Time
}

type row struct {
	at       time.Time
	amount   int64
	category int
	typ      string // "" is earn
}

type completion struct {
	period string
	at     time.Time
}

// earned is one computation.
type earned struct {
	*Earner
	now, noticed time.Time
	memo         map[string][]completion
	credits      map[int][]row
}

func (e *Earner) at(now, noticed time.Time) *earned {
	return &earned{e, now, noticed, map[string][]completion{}, map[int][]row{}}
}

func named(kind string, i int) string { return fmt.Sprint(kind, " ", i) }

// Earned computes everything that is shown at now.
func (e *Earner) Earned(now time.Time) Earned {
	c := e.at(now, now)
	var out Earned
	for i := range e.Wallets {
		w, _ := c.wallet(i)
		out.Wallets = append(out.Wallets, w)
	}
	for i := range e.Levels {
		out.Levels = append(out.Levels, c.reached(i))
	}
	for i := range e.Achievements {
		out.Achievements = append(out.Achievements, c.achievement(i))
	}
	for i := range e.Missions {
		m := c.mission(i)
		out.Missions = append(out.Missions, m)
	}
	return out
}

// Notice notes what has come true, and forgets what no longer is.
func (e *Earner) Notice(now, noticed time.Time) {
	c := e.at(now, noticed)
	noted := map[string]time.Time{}
	note := func(key string, is bool) {
		if at, known := e.Noted[key]; is && known {
			noted[key] = at
		} else if is {
			noted[key] = noticed
		}
	}
	for i := range e.Achievements {
		if c.isNoted(i) {
			note(named("achievement", i), len(c.completions(i)) > 0)
		}
	}
	for i, m := range e.Missions {
		if slices.ContainsFunc(m.Needs, func(n Need) bool { return n.Kind == "level" }) {
			_, held := c.held(i)
			note(named("held", i), held)
		}
		if c.startNoted(i) {
			s, begun := c.begun(i)
			if note(named("start", i), begun); begun && e.Noted[named("start", i)].IsZero() {
				noted[named("start", i)] = s
			}
		}
	}
	e.Noted = noted
}

// Seal makes what was completed by other than activities before an instant, by what is known from before it, so for good.
func (e *Earner) Seal(seal time.Time) {
	all := e.Records
	defer func() { e.Records = all }()
	e.Records = slices.DeleteFunc(slices.Clone(all), func(r Record) bool { return !r.At.Before(seal) })
	c := e.at(seal, seal)
	for i := range e.Achievements {
		if done := c.completions(i); c.isNoted(i) && len(done) > 0 && done[0].at.Before(seal) {
			e.Final[named("achievement", i)] = true
		}
	}
	for i := range e.Missions {
		if m := c.mission(i); m.Status == "completed" && m.Done.Before(seal) {
			e.Final[named("held", i)] = true
		}
	}
}

func (c *earned) since(key string) time.Time {
	if at, ok := c.Noted[key]; ok {
		return at
	}
	return c.noticed
}

// items are what a criterion over activities counts in a period, in order; "" is any.
func (c *earned) items(i, k int, period string) (list []item) {
	a := &c.Earning.Achievements[i]
	for j := range c.Records {
		it, ok := a.Criteria[k].eval(&c.Records[j])
		if label, _ := c.Label(a.Per, c.Records[j].At); ok && (period == "" || label == period) {
			list = append(list, it)
		}
	}
	slices.SortFunc(list, earlier)
	return list
}

// met is what a criterion over activities came to, and when it was first enough.
func (c *earned) met(i, k int, period string) (value int64, at time.Time, met bool) {
	cr := &c.Earning.Achievements[i].Criteria[k]
	list := c.items(i, k, period)
	for n := 1; n <= len(list); n++ {
		value, _ = folded(cr.Fold, list[:n])
		if !met && value >= cr.AtLeast {
			at, met = list[n-1].At, true
		}
	}
	return value, at, met
}

func (c *earned) periods(i int) []string {
	a := &c.Earning.Achievements[i]
	if a.Per.Unit == "all" {
		return []string{"all"}
	}
	seen := map[string]time.Time{}
	var list []string
	for k := range a.Criteria {
		for _, it := range c.items(i, k, "") {
			label, _ := c.Label(a.Per, it.At)
			if at, ok := seen[label]; !ok || it.At.Before(at) {
				if !ok {
					list = append(list, label)
				}
				seen[label] = it.At
			}
		}
	}
	slices.SortFunc(list, func(x, y string) int { return seen[x].Compare(seen[y]) })
	return list
}

func (c *earned) completions(i int) []completion {
	key := named("achievement", i)
	if done, ok := c.memo[key]; ok {
		return done
	}
	var done []completion
	if c.Earning.Achievements[i].Rank {
		done = c.stood(i)
		c.memo[key] = done
		return done
	}
	for _, p := range c.periods(i) {
		if at, ok := c.holds(i, p); ok {
			done = append(done, completion{p, at})
		}
	}
	c.memo[key] = done
	return done
}

func (c *earned) isNoted(i int) bool {
	return slices.ContainsFunc(c.Earning.Achievements[i].Criteria, func(k Criterion) bool {
		return k.Kind != "" && (k.Kind != "achievement" || c.isNoted(k.Of))
	})
}

func (c *earned) holds(i int, period string) (time.Time, bool) {
	a, key := &c.Earning.Achievements[i], named("achievement", i)
	if c.Final[key] {
		return c.Noted[key], true
	}
	var instants []time.Time
	for k := range a.Criteria {
		if at, ok := c.criterion(i, k, period); ok {
			instants = append(instants, at)
		}
	}
	switch {
	case len(instants) == 0 || a.All && len(instants) < len(a.Criteria):
		return time.Time{}, false
	case c.isNoted(i):
		return c.since(key), true
	case a.All:
		return slices.MaxFunc(instants, time.Time.Compare), true
	}
	return slices.MinFunc(instants, time.Time.Compare), true
}

func (c *earned) criterion(i, k int, period string) (time.Time, bool) {
	cr := &c.Earning.Achievements[i].Criteria[k]
	switch cr.Kind {
	case "":
		_, at, met := c.met(i, k, period)
		return at, met
	case "achievement":
		if done := c.completions(cr.Of); len(done) > 0 {
			return done[0].at, true
		}
		return time.Time{}, false
	}
	return time.Time{}, c.value(cr) >= cr.AtLeast
}

func (c *earned) value(cr *Criterion) int64 {
	switch cr.Kind {
	case "streak":
		known := c.known(c.User, cr.Streak.ID, c.now)
		known.OptOuts = nil // an achievement looks at the longest ever, whether or not it is shown
		return int64(c.view(cr.Streak, c.User, known, c.now).show().Longest.Length)
	case "wallet":
		return c.total(cr.Of)
	}
	return int64(c.reached(cr.Of))
}

func (c *earned) total(wallet int) (n int64) {
	for _, r := range c.rows(wallet) {
		n += r.amount
	}
	return n
}

func (c *earned) reached(level int) (n int) {
	total := c.total(c.Levels[level].Wallet)
	for _, at := range c.Levels[level].Steps {
		if at <= total {
			n++
		}
	}
	return n
}

// rows are what was earned in a wallet, in order.
func (c *earned) rows(wallet int) (rows []row) {
	if rows, ok := c.credits[wallet]; ok {
		return rows
	}
	defer func() { c.credits[wallet] = rows }()
	for i := range c.Awards {
		a := &c.Awards[i]
		for j := range c.Records {
			if it, ok := a.eval(&c.Records[j]); ok && it.n > 0 && a.Wallet == wallet {
				rows = append(rows, row{it.At, it.n, a.Category, ""})
			}
		}
	}
	give := func(points []Points, done []completion) {
		for _, p := range points {
			for _, d := range done {
				if p.Wallet == wallet {
					rows = append(rows, row{d.at, p.Amount, p.Category, ""})
				}
			}
		}
	}
	for i, a := range c.Earning.Achievements {
		if slices.ContainsFunc(a.Points, func(p Points) bool { return p.Wallet == wallet }) {
			give(a.Points, c.completions(i))
		}
	}
	for i, m := range c.Earning.Missions {
		if slices.ContainsFunc(m.Points, func(p Points) bool { return p.Wallet == wallet }) {
			if done := c.mission(i); done.Status == "completed" {
				give(m.Points, []completion{{at: done.Done}})
			}
		}
	}
	for _, r := range c.moved(wallet) {
		if r.typ == "earn" {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(x, y row) int { return x.at.Compare(y.at) })
	return rows
}

func (c *earned) achievement(i int) (out EarnedAchievement) {
	a := &c.Earning.Achievements[i]
	done := c.completions(i)
	if out.Times = len(done); out.Times > 0 {
		out.FirstAt, out.LastAt = done[0].at, done[out.Times-1].at
	}
	if a.Rank {
		out.Max = 1
		out.Progress, out.CompletedAt = min(int64(out.Times), 1), out.LastAt
		return out
	}
	period, _ := c.Label(a.Per, c.now)
	met := false
	for _, d := range done {
		if d.period == period {
			out.CompletedAt, met = d.at, true
		}
	}
	best, holding := math.Inf(-1), int64(0)
	for k := range a.Criteria {
		n, most, holds := c.part(i, k, period)
		if near := float64(n) / float64(most); holds && near < math.Inf(1) || near > best {
			if holds {
				near = math.Inf(1)
			}
			if near > best {
				best, out.Progress, out.Max = near, n, most
			}
		}
		if holds {
			holding++
		}
	}
	if a.All && len(a.Criteria) > 1 {
		out.Progress, out.Max = holding, int64(len(a.Criteria))
	}
	if met {
		out.Progress = out.Max
	}
	return out
}

func (c *earned) part(i, k int, period string) (n, most int64, holds bool) {
	cr := &c.Earning.Achievements[i].Criteria[k]
	_, holds = c.criterion(i, k, period)
	most = max(cr.AtLeast, 0)
	switch cr.Kind {
	case "":
		n, _, _ = c.met(i, k, period)
	case "achievement":
		most = 1
	default:
		n = c.value(cr)
	}
	if n = min(max(n, 0), most); holds {
		n = most
	}
	return n, most, holds
}

// Completed are the labels of the periods in which an achievement was completed.
func (e *Earner) Completed(i int, now time.Time) (labels []string) {
	for _, d := range e.at(now, now).completions(i) {
		labels = append(labels, d.period)
	}
	return labels
}
