package progress

import (
	"fmt"
	"hash/fnv"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/streaks"
)

// Plan is a catalog made ready for applying activities: it knows which cycles its rules share, and remembers labels and zones. It is
// safe for concurrent use.
type Plan struct {
	Catalog    *catalog.Catalog
	print      uint32 // never 0
	boards     map[string]uint32
	cal        *calendar.Calendar
	cycles     []calendar.Cycle // the different ones
	keys       []string         // their keys
	rules      []rulePlan
	attributes []string
	outages    []streaks.Outage    // in order of At, then ID; with those that were taken back
	labels     sync.Map            // periodKey → string
	latest     []labelled          // by cycle: the period that was asked for last, mostly the current one
	appliers   sync.Pool           // of *applier, for Apply
	calculi    []*streaks.Calculus // by streak rule, for users without zone changes and commands
	earning    *earningPlan        // nil where nothing can be earned
	groups     *groupsPlan         // nil where there are no target groups
	earlier    sync.Map            // print → *Plan, of followed
	zones      sync.Map            // name → *time.Location, nil for one that is not known: loading one reads a file
}

type rulePlan struct {
	*catalog.Rule
	cycles []int // indexes into Plan.cycles
	// first is, by cycle of the plan, the first period that is kept; nil where none of the rule's is gone.
	first []calendar.Ordinal
}

type periodKey struct {
	cycle   int
	ordinal calendar.Ordinal
}

type labelled = atomic.Pointer[periodLabel]

type periodLabel struct {
	ordinal calendar.Ordinal
	label   string
}

// NewPlan makes a catalog ready, for an org of which no period is gone and which has no outages.
func NewPlan(c *catalog.Catalog) *Plan {
	p := &Plan{Catalog: c, cal: c.Calendar()}
	places := map[string]int{}
	index := func(cy calendar.Cycle) int {
		key := identity(cy)
		i, seen := places[key]
		if !seen {
			i = len(p.cycles)
			places[key] = i
			p.cycles, p.keys = append(p.cycles, cy), append(p.keys, cy.Key())
		}
		return i
	}
	for _, r := range c.Rules {
		rp := rulePlan{Rule: r}
		for _, cy := range r.Cycles {
			rp.cycles = append(rp.cycles, index(cy))
		}
		p.rules = append(p.rules, rp)
	}
	p.addGroups(index)
	for _, s := range c.Streaks {
		p.calculi = append(p.calculi, &streaks.Calculus{Rule: s, Zoning: streaks.NewZoning(s, p.cal, nil)})
	}
	p.attributes, p.earning = segmentedBy(p.rules), newEarningPlan(c, p.cal)
	p.latest = make([]labelled, len(p.cycles))
	p.appliers.New = func() any { return &applier{plan: p} }
	p.print, p.boards = fingerprint(p), boardPrints(p)
	return p
}

// identity tells cycles of an org apart: two rules may have lists of one id with other windows. In a state the key is enough, because there a cycle
// belongs to a rule, whose lists only ever grow (catalog.CheckChange).
func identity(cy calendar.Cycle) string {
	if cy.Unit != calendar.Listed {
		return cy.Key()
	}
	return fmt.Sprint(cy.Key(), cy.Windows)
}

// boardPrints tells definitions of boards apart that would fold the same activities to other rows.
func boardPrints(p *Plan) map[string]uint32 {
	prints := map[string]uint32{}
	for _, r := range p.rules {
		h := fnv.New32a()
		fmt.Fprintln(h, "rule", p.Catalog.Zone, p.Catalog.WeekStart, p.Catalog.Limits.CloseGrace, r.Print)
		for _, c := range r.cycles {
			fmt.Fprintln(h, identity(p.cycles[c]))
		}
		prints[r.ID] = max(h.Sum32(), 1)
	}
	for _, g := range p.Catalog.TargetGroups {
		h := fnv.New32a()
		fmt.Fprintln(h, p.Catalog.Zone, p.Catalog.WeekStart, p.Catalog.Limits.CloseGrace)
		p.printGroup(h, g)
		prints[g.ID+EnrolledSuffix] = max(h.Sum32(), 1)
	}
	for _, s := range p.Catalog.Streaks {
		h := fnv.New32a()
		fmt.Fprintln(h, "streak", p.Catalog.Zone, p.Catalog.WeekStart, s.Print, s.Terms)
		p.printOutages(h)
		prints[s.ID+CurrentSuffix], prints[s.ID+LongestSuffix] = max(h.Sum32(), 1), max(h.Sum32(), 1)
	}
	return prints
}

// BoardPrints tells definitions apart that would give other rows, by the rule of a board (feed.Board). They are never 0. The map must not be changed.
func (p *Plan) BoardPrints() map[string]uint32 { return p.boards }

// BoardPrint is one of BoardPrints, 0 for a rule that there is not.
func (p *Plan) BoardPrint(rule string) uint32 { return p.boards[rule] }

// fingerprint tells plans apart that would fold the same activities to another state.
func fingerprint(p *Plan) uint32 {
	h := fnv.New32a()
	fmt.Fprintln(h, "org", p.Catalog.Zone, p.Catalog.WeekStart, p.Catalog.Limits.CloseGrace, "counted with gifts") // states of before they were counted are made anew
	for _, r := range p.rules {
		fmt.Fprintln(h, "rule", r.ID, r.Print)
		for _, c := range r.cycles {
			fmt.Fprintln(h, identity(p.cycles[c]))
		}
	}
	for _, s := range p.Catalog.Streaks {
		fmt.Fprintln(h, "streak", s.ID, s.Print, s.Terms)
	}
	for _, g := range p.Catalog.TargetGroups {
		p.printGroup(h, g)
	}
	p.printEarning(h)
	p.printGrants(h)
	p.printOutages(h)
	return max(h.Sum32(), 1)
}

// printEarning tells what is noted of a user, and when time changes it, depends on. Where nothing can be earned nothing is written.
func (p *Plan) printEarning(h io.Writer) {
	c := p.Catalog
	for i, w := range c.Wallets {
		fmt.Fprintln(h, "wallet", i, w.ID, w.Print)
	}
	for _, l := range c.Levels {
		fmt.Fprint(h, "level ", l.ID, l.Wallet)
		for _, s := range l.Steps {
			fmt.Fprint(h, " ", s.At)
		}
		fmt.Fprintln(h)
	}
	for i, a := range c.Achievements {
		fmt.Fprintln(h, "achievement", i, a.ID, a.Print, a.All, a.Points)
		for _, k := range a.Criteria {
			fmt.Fprintln(h, k.Kind, k.Of, k.AtLeast)
		}
	}
	for _, m := range c.Missions {
		fmt.Fprintln(h, "mission", m.ID, m.Needs, m.Required, m.Within, m.Attempts, m.Points)
	}
}

// printOutages makes every change of the outages tell: a plan in which one was taken back has another print than one that never had it, because
// meanwhile some users have followed the plan that did. Without outages nothing is written, so that the prints are those of the catalog alone.
func (p *Plan) printOutages(h io.Writer) {
	for _, o := range p.outages {
		fmt.Fprintln(h, "outage", o.ID, int64(o.At), int64(o.From), int64(o.To), int64(o.RemoveAt))
	}
}

// Print tells plans apart that would fold the same activities to another state. It is never 0.
func (p *Plan) Print() uint32 { return p.print }

// Calendar is the org's calendar.
func (p *Plan) Calendar() *calendar.Calendar { return p.cal }

func (p *Plan) label(cycle int, o calendar.Ordinal) string {
	if l := p.latest[cycle].Load(); l != nil && l.ordinal == o {
		return l.label
	}
	key := periodKey{cycle, o}
	known, ok := p.labels.Load(key)
	if !ok {
		known, _ = p.labels.LoadOrStore(key, p.cal.Label(p.cycles[cycle], o))
	}
	l := known.(string)
	p.latest[cycle].Store(&periodLabel{o, l})
	return l
}

// Calculus is the calculus of the i-th streak rule for a user. A zone that this build does not know is passed over.
func (p *Plan) Calculus(i int, s *State) *streaks.Calculus {
	shared := p.calculi[i]
	st := s.Streak(shared.Rule.ID)
	zoned := len(s.Zones) > 0 && shared.Rule.ZoneMode == catalog.ZoneUser
	if !zoned && len(s.Pauses) == 0 && (st == nil || st.uncommanded()) {
		return shared
	}
	c := *shared
	c.Pauses = s.Pauses
	if st != nil {
		c.Commands = st.Commands
	}
	if zoned {
		c.Zoning = streaks.NewZoning(c.Rule, p.cal, p.zoneChanges(s.Zones))
	}
	return &c
}

func (p *Plan) zoneChanges(zones []ZoneChange) []streaks.ZoneChange {
	changes := make([]streaks.ZoneChange, 0, len(zones))
	for _, z := range zones {
		if loc := p.location(z.Name); loc != nil {
			changes = append(changes, streaks.ZoneChange{At: z.At, Zone: loc})
		}
	}
	return changes
}

// location is the zone of a name, nil for none. Names are few: a user's zone was checked when it was set.
func (p *Plan) location(name string) *time.Location {
	if known, ok := p.zones.Load(name); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		loc = nil
	}
	p.zones.Store(name, loc)
	return loc
}
