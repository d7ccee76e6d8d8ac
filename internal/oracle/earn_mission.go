package oracle

import (
	"slices"
	"time"
)

// held says whether all needs of a mission hold, and since when.
func (c *earned) held(i int) (at time.Time, held bool) {
	key := named("held", i)
	byLevel := false
	for _, n := range c.Earning.Missions[i].Needs {
		if n.Kind == "level" {
			byLevel = true
			if c.reached(n.Of) < n.Step {
				return at, false
			}
			continue
		}
		done := c.completions(n.Of)
		if len(done) == 0 {
			return time.Time{}, false
		}
		if done[0].at.After(at) {
			at = done[0].at
		}
	}
	if byLevel {
		at = c.since(key)
	}
	return at, true
}

// startNoted says that a mission starts by itself with what no activity gives an instant for.
func (c *earned) startNoted(i int) bool {
	m := &c.Earning.Missions[i]
	return !m.Required && slices.ContainsFunc(m.Needs, func(n Need) bool { return n.Kind == "achievement" && c.startsUnknown(n.Of) })
}

func (c *earned) startsUnknown(i int) bool {
	return slices.ContainsFunc(c.Earning.Achievements[i].Criteria, func(k Criterion) bool {
		return k.Kind == "streak" || k.Kind == "achievement" && c.startsUnknown(k.Of)
	})
}

// begun is when a mission starts by itself.
func (c *earned) begun(i int) (first time.Time, begun bool) {
	earlier := func(at time.Time, is bool) {
		if is && (!begun || at.Before(first)) {
			first, begun = at, true
		}
	}
	for _, n := range c.Earning.Missions[i].Needs {
		if n.Kind == "level" {
			if rows := c.rows(c.Levels[n.Of].Wallet); len(rows) > 0 {
				earlier(rows[0].at, true)
			}
			continue
		}
		earlier(c.beginning(n.Of))
	}
	if c.startNoted(i) && begun {
		first = c.since(named("start", i))
	}
	if at, held := c.held(i); held {
		if _, known := c.Noted[named("start", i)]; !known || !c.startNoted(i) {
			earlier(at, true)
		}
	}
	return first, begun
}

func (c *earned) beginning(i int) (first time.Time, begun bool) {
	earlier := func(at time.Time, is bool) {
		if is && (!begun || at.Before(first)) {
			first, begun = at, true
		}
	}
	for k := range c.Earning.Achievements[i].Criteria {
		cr := &c.Earning.Achievements[i].Criteria[k]
		wallet := cr.Of
		switch cr.Kind {
		case "":
			for _, it := range c.items(i, k, "") {
				earlier(it.At, true)
			}
			continue
		case "streak":
			earlier(c.now, c.value(cr) > 0)
			continue
		case "achievement":
			earlier(c.beginning(cr.Of))
			continue
		case "level":
			wallet = c.Levels[cr.Of].Wallet
		}
		if rows := c.rows(wallet); len(rows) > 0 {
			earlier(rows[0].at, true)
		}
	}
	if done := c.completions(i); len(done) > 0 {
		earlier(done[0].at, true)
	}
	return first, begun
}

func (c *earned) mission(i int) (out EarnedMission) {
	m := &c.Earning.Missions[i]
	starts := c.Starts[i]
	if !m.Required {
		starts = nil
		if at, begun := c.begun(i); begun {
			starts = []time.Time{at}
		}
	}
	heldAt, held := c.held(i)
	out.Status = "available"
	var end time.Time
	endless := false
	for _, s := range starts {
		if out.Attempts >= m.Attempts || endless || s.Before(end) {
			continue
		}
		out.Attempts++
		out.Status, out.StartedAt = "started", s
		end, endless = s.Add(m.Within), m.Within == 0
		done := heldAt
		if s.After(done) {
			done = s
		}
		if held && (endless || done.Before(end)) {
			out.Status, out.Done = "completed", done
			return out
		}
		if !endless && !end.After(c.now) {
			out.Status = "failed"
			out.Failures++
		}
	}
	return out
}
