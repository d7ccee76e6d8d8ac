package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"laurel/internal/calendar"
)

func (b *builder) rule(src *ruleSource, p path) *Rule {
	r := &Rule{
		ID:        src.ID,
		Number:    src.Number,
		Selector:  b.selector(src.When, src.Value, src.Decimals, p),
		Ascending: src.Order == "asc",
		Ties:      tiesOf(src.Ties),
		SegmentBy: strings.TrimPrefix(src.SegmentBy, "user."),
	}
	seen := map[string]string{}
	for i, s := range src.Cycles {
		if s == nil {
			continue
		}
		at := p.to("cycles", i)
		if cycle, ok := b.cycle(s, at); ok {
			b.distinct(seen, cycle, at)
			r.Cycles = append(r.Cycles, cycle)
		}
	}
	b.keep(r, src, p)
	r.Print = r.print(b.catalog).sum()
	return r
}

func tiesOf(word string) Ties {
	switch word {
	case "standard":
		return Standard
	case "dense":
		return Dense
	}
	return Ordinal
}

// Cycle returns the cycle of a word ("day"), a length ("14d"), or the id of a list.
func (r *Rule) Cycle(word string) (calendar.Cycle, bool) {
	for _, c := range r.Cycles {
		if c.String() == word {
			return c, true
		}
	}
	return calendar.Cycle{}, false
}

// distinct checks that in one rule every word that may name a period means one thing: cycles, and the ids of listed periods.
func (b *builder) distinct(seen map[string]string, cycle calendar.Cycle, p path) {
	_, here := b.report.tree.locate(p)
	words := []string{cycle.String()}
	for _, w := range cycle.Windows {
		words = append(words, w.ID)
	}
	for _, word := range words {
		first, dup := seen[word]
		switch {
		case !dup:
			seen[word] = here
		case first != here:
			b.report.at(p, "%s is in this rule already, as or in %s", quoted(word), first)
		}
	}
}

// cycle gives the cycle of a source; ok is false where a fault leaves none.
func (b *builder) cycle(src *cycleSource, p path) (c calendar.Cycle, ok bool) {
	switch {
	case src.Word != "":
		c.Unit, ok = calendar.ParseUnit(src.Word)
		return c, ok
	case src.List != nil:
		return b.list(src.List, p.to("list"))
	case src.Every == 0 || src.From == "":
		return c, false
	}
	from, err := calendar.ParseDate(src.From)
	if err != nil {
		b.report.at(p.to("from"), "there is no date %s", src.From)
		return c, false
	}
	// Anchors that cut time alike are one anchor: moving it by whole periods is no change.
	from %= calendar.Date(src.Every)
	if from < 0 {
		from += calendar.Date(src.Every)
	}
	return calendar.Cycle{Unit: calendar.Days, N: int(src.Every), From: from}, true
}

func (b *builder) list(src *listSource, p path) (calendar.Cycle, bool) {
	if reserved(src.ID) {
		b.report.at(p.to("id"), "%s could be taken for a cycle or a date", quoted(src.ID))
	}
	c := calendar.Cycle{Unit: calendar.Listed, ID: src.ID}
	ids := map[string]int{}
	type placed struct {
		calendar.Window
		at path
	}
	var windows []placed
	for i, s := range src.Periods {
		if s == nil {
			continue
		}
		at := p.to("periods", i)
		if first, dup := taken(ids, s.ID, i); dup {
			b.report.at(at.to("id"), "the id %s is that of period %d of the list too", s.ID, first)
		}
		if s.ID == src.ID && s.ID != "" || reserved(s.ID) {
			b.report.at(at.to("id"), "%s could be taken for a cycle or a date", quoted(s.ID))
		}
		if w, ok := b.window(s, at); ok {
			windows = append(windows, placed{w, at})
		}
	}
	slices.SortStableFunc(windows, func(a, b placed) int { return cmp.Compare(a.Start, b.Start) })
	for i, w := range windows {
		if i > 0 && w.Start < windows[i-1].End {
			b.report.at(w.at, "begins before %s ends", quoted(windows[i-1].ID))
		}
		c.Windows = append(c.Windows, w.Window)
	}
	b.sameList(c, p)
	return c, c.ID != "" && len(c.Windows) > 0
}

func (b *builder) window(src *windowSource, p path) (calendar.Window, bool) {
	if src.Start == "" || src.End == "" {
		return calendar.Window{}, false
	}
	start, startOK := b.moment(src.Start, p.to("start"))
	end, endOK := b.moment(src.End, p.to("end"))
	if !startOK || !endOK {
		return calendar.Window{}, false
	}
	if end <= start {
		b.report.at(p.to("end"), "ends at or before its start")
		return calendar.Window{}, false
	}
	return calendar.Window{ID: src.ID, Start: start, End: end}, true
}

// moment reads a date, which begins in the org's zone, or a time with an offset.
func (b *builder) moment(text string, p path) (calendar.Instant, bool) {
	if date, err := calendar.ParseDate(text); err == nil {
		return b.catalog.calendar.StartOf(date), true
	}
	i, _, err := calendar.ParseInstant(text)
	if err != nil {
		b.report.at(p, "%s is neither a date nor a time with an offset from 1970 on", quoted(text))
	}
	return i, err == nil
}

// sameList checks that a list's id means the same windows in all rules: a period is closed once for all of them.
func (b *builder) sameList(c calendar.Cycle, p path) {
	_, here := b.report.tree.locate(p)
	first, known := b.lists[c.ID]
	switch {
	case c.ID == "":
	case !known:
		b.lists[c.ID] = &definedList{cycle: c, by: here}
	case !slices.Equal(first.cycle.Windows, c.Windows):
		b.report.at(p.to("id"), "the list %s has other periods in %s", c.ID, first.by)
	}
}

// keep checks that a board stays as long as activities may still come for it, and stores it under the cycles' keys.
func (b *builder) keep(r *Rule, src *ruleSource, p path) {
	need := b.catalog.Limits.MaxPast + b.catalog.Limits.CloseGrace
	for _, word := range slices.Sorted(maps.Keys(src.Keep)) {
		at, n := p.to("keep", word), src.Keep[word]
		cycle, ok := r.Cycle(word)
		switch {
		case !ok:
			if b.allCycles(r, src) {
				b.report.at(at, "%s is no cycle of this rule", quoted(word))
			}
			continue
		case cycle.Unit == calendar.All:
			b.report.at(at, "all never ends, so no period of it is kept after its end")
			continue
		}
		if length := shortest(cycle); time.Duration(n) < (need+length-1)/length {
			b.report.at(at, "%d periods are less than max_past + close_grace (%s): at least %d", n, inDays(need), (need+length-1)/length)
		}
		if r.Keep == nil {
			r.Keep = map[string]int{}
		}
		r.Keep[cycle.Key()] = n
	}
}

// allCycles says that no cycle was faulty: only then is a word of keep that names none a fault of its own.
func (b *builder) allCycles(r *Rule, src *ruleSource) bool { return len(r.Cycles) == len(src.Cycles) }

// shortest is the least length of a period, clock changes left aside.
func shortest(c calendar.Cycle) time.Duration {
	switch c.Unit {
	case calendar.Day:
		return day
	case calendar.Week:
		return 7 * day
	case calendar.Month:
		return 28 * day
	case calendar.Quarter:
		return 90 * day
	case calendar.Year:
		return 365 * day
	case calendar.Days:
		return time.Duration(c.N) * day
	}
	least := c.Windows[0].End - c.Windows[0].Start
	for _, w := range c.Windows {
		least = min(least, w.End-w.Start)
	}
	return time.Duration(least) * time.Millisecond
}

func inDays(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}
