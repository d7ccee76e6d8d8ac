package catalog

import (
	"slices"
	"time"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

const day = 24 * time.Hour

// builder makes the catalog of one org, as far as its source allows, and notes what its parts mean wrongly.
type builder struct {
	catalog *Catalog
	report  *report
	at      path // of the org
	// lists are the listed cycles by id, and where each was defined first: one id is one list, in all rules.
	lists map[string]*definedList
	// known are the ids of each kind; of rules and streaks once they are built.
	known map[Kind]*places
	// faultyCycles are the rules (by index) that lost cycles to faults.
	faultyCycles map[int]bool
	rest         map[Derived][]rest
}

type definedList struct {
	cycle calendar.Cycle
	by    string
}

func build(src *orgSource, r *report, at path) *Catalog {
	c := &Catalog{
		Org:        activity.Org(src.ID),
		Number:     src.Number,
		Parent:     activity.Org(src.Parent),
		WeekStart:  weekday(src.WeekStart, time.Monday),
		AutoCreate: src.Users.AutoCreate == nil || *src.Users.AutoCreate,
		Fields:     src.Users.Fields,
		Limits:     src.Limits.limits(),
		Behaviours: map[string]*Behaviour{},

		Leaderboards: src.Boards == nil || *src.Boards,
	}
	b := &builder{
		catalog: c, report: r, at: at, lists: map[string]*definedList{},
		known: map[Kind]*places{}, faultyCycles: map[int]bool{}, rest: map[Derived][]rest{},
	}
	b.declareAll(&src.earningSource)
	c.Zone = time.UTC
	if zone := b.zone(src.Timezone, at.to("timezone")); zone != nil {
		c.Zone = zone
	}
	c.calendar = calendar.New(c.Zone, c.WeekStart, 0)
	c.table = &table{behaviours: c.Behaviours, slots: map[string]int{}}
	for i, s := range src.Behaviours {
		if s != nil {
			b.behaviour(s, at.to("behaviours", i))
		}
	}
	ids, numbers := map[string]string{}, map[int64]string{}
	for i, s := range src.Rules {
		if s != nil {
			p := at.to("rules", i)
			b.unique(ids, s.ID, p)
			b.uniqueNumber(numbers, s.Number, p)
			c.Rules = append(c.Rules, b.rule(s, p))
			b.faultyCycles[len(c.Rules)-1] = !b.allCycles(c.Rules[len(c.Rules)-1], s)
		}
	}
	for i, s := range src.Streaks {
		if s != nil {
			p := at.to("streaks", i)
			b.unique(ids, s.ID, p)
			b.uniqueNumber(numbers, s.Number, p)
			c.Streaks = append(c.Streaks, b.streak(s, p))
		}
	}
	b.declareBoards()
	b.earning(&src.earningSource)
	return c
}

// unique checks the namespace that rules and streaks share: both name leaderboards.
func (b *builder) unique(ids map[string]string, id string, p path) {
	_, here := b.report.tree.locate(p)
	if first, dup := ids[id]; dup && id != "" {
		b.report.at(p.to("id"), "the id %s is that of %s too; rules and streaks share their ids", id, first)
		return
	}
	ids[id] = here
}

// uniqueNumber checks the numbers that rules and streaks share; 0 is none.
func (b *builder) uniqueNumber(numbers map[int64]string, number int64, p path) {
	_, here := b.report.tree.locate(p)
	if first, dup := numbers[number]; dup && number != 0 {
		b.report.at(p.to("number"), "the number %d is that of %s too; rules and streaks share their numbers", number, first)
		return
	}
	numbers[number] = here
}

// zone loads a zone; nil where none is named or the name is unknown, which is noted.
func (b *builder) zone(name string, p path) *time.Location {
	if name == "" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		b.report.at(p, "unknown time zone %s", quoted(name))
		return nil
	}
	return zone
}

func weekday(word string, otherwise time.Weekday) time.Weekday {
	words := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	if i := slices.IndexFunc(words, func(w string) bool { return word != "" && (w == word || w[:3] == word) }); i >= 0 {
		return time.Weekday(i)
	}
	return otherwise
}

func (src *limitsSource) limits() Limits {
	l := Limits{
		MaxPast:    35 * day,
		MaxFuture:  5 * time.Minute,
		CloseGrace: 35 * day,
		LogDays:    90,
		Segments:   500,
	}
	override(&l.MaxPast, (*time.Duration)(src.MaxPast))
	override(&l.MaxFuture, (*time.Duration)(src.MaxFuture))
	override(&l.CloseGrace, (*time.Duration)(src.CloseGrace))
	override(&l.LogDays, (*int)(src.LogDays))
	override(&l.Segments, src.Segments)
	return l
}

func override[T any](value *T, given *T) {
	if given != nil {
		*value = *given
	}
}

func (b *builder) behaviour(src *behaviourSource, p path) {
	if src.Name == "" {
		return
	}
	b.name(src.Name, p.to("name"))
	if _, dup := b.catalog.Behaviours[src.Name]; dup {
		b.report.at(p.to("name"), "the behaviour %s is declared twice", quoted(src.Name))
		return
	}
	made := &Behaviour{Name: src.Name, CoolOff: time.Duration(src.CoolOff), Meta: src.Meta}
	if src.Cap != nil {
		made.CapCount = src.Cap.Count
		made.CapPer.Unit, _ = calendar.ParseUnit(src.Cap.Per)
	}
	b.catalog.Behaviours[src.Name] = made
}

// name checks what the schema cannot: it counts characters.
func (b *builder) name(name string, p path) {
	const limit = 128
	if len(name) > limit || !utf8.ValidString(name) {
		b.report.at(p, "the name has %d bytes, more than %d", len(name), limit)
	}
}

// Rule returns the rule of an id, or nil.
func (c *Catalog) Rule(id string) *Rule {
	for _, r := range c.Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Streak returns the streak rule of an id, or nil.
func (c *Catalog) Streak(id string) *Streak {
	for _, s := range c.Streaks {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// Calendar returns the calendar of the org's boards: its zone and week start. It is made once, and not to be changed.
func (c *Catalog) Calendar() *calendar.Calendar {
	if c.calendar == nil {
		return &calendar.Calendar{Zone: c.Zone, WeekStart: c.WeekStart}
	}
	return c.calendar
}

// SealHorizon returns how far back activities are kept one by one: the longest of max_past, close_grace, log_days and all restore windows. ok is
// false where logs are kept forever. What is earned needs no more: the lots of wallets that expire later are carried past the seal.
func (c *Catalog) SealHorizon() (horizon time.Duration, ok bool) {
	if c.Limits.LogDays == Forever {
		return 0, false
	}
	horizon = max(c.Limits.MaxPast, c.Limits.CloseGrace, time.Duration(c.Limits.LogDays)*day)
	for _, s := range c.Streaks {
		horizon = max(horizon, s.Restore)
	}
	return horizon, true
}
