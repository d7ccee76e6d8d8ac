package rewards

import (
	"math"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

func (d *deriver) mission(i int) {
	def, kept, m := d.earning.Missions[i], or(d.user.Missions, i, &KeptMission{}), &d.view.Missions[i]
	*m = Mission{parts: span{from: len(d.view.parts)}, summed: kept.Completed}
	first := d.needs(i, m)
	m.parts.to = len(d.view.parts)
	if d.held[i] && m.held {
		m.heldAt = d.noticed
		if kept.Noted != 0 {
			m.heldAt = kept.Noted
		}
	}
	d.view.Stale = d.view.Stale || m.summed && kept.Noted != 0 && !m.held
	var own [1]calendar.Instant // of a mission that starts by itself
	starts := kept.Starts
	if !def.Required && !m.summed {
		starts = d.started(i, m, kept, first, own[:0])
	}
	d.attempts(def, m, starts, kept)
	m.Startable = def.Required && (m.Status == Available || m.Status == Failed) && m.Attempts < def.Attempts
	if m.Status == Completed && !m.summed {
		d.complete(catalog.Derived{Kind: missions, Index: i}, &def.Gives, 0, m.CompletedAt)
	}
}

// needs looks at the needs of a mission, and returns when the first of them began.
func (d *deriver) needs(i int, m *Mission) (first calendar.Instant) {
	def := d.earning.Missions[i]
	m.held, first = true, math.MaxInt64
	for _, n := range def.Needs {
		var p Part
		begun, began := false, calendar.Instant(0)
		switch n.Kind {
		case catalog.OfAchievement:
			a := &d.view.Achievements[n.Of]
			if p = a.Part; a.Times > 0 {
				p = Part{Progress: a.Max, Max: a.Max, Met: true}
				m.heldAt = max(m.heldAt, a.FirstAt)
			}
			begun, began = a.Begun, a.First
		case catalog.OfLevel:
			l := d.earning.Levels[n.Of]
			w := &d.view.Wallets[l.Wallet]
			p = partOf(w.Earned, l.Steps[n.Step-1].At, d.view.Levels[n.Of].Index >= n.Step)
			begun, began = w.Earned > 0, w.First
		}
		if begun {
			m.begun, first = true, min(first, began)
		}
		m.held = m.held && p.Met
		d.view.parts = append(d.view.parts, p)
	}
	if !m.held {
		m.heldAt = 0
	}
	return first
}

// started returns when a mission started that starts by itself: with the first progress, at the latest when all needs hold.
func (d *deriver) started(i int, m *Mission, kept *KeptMission, first calendar.Instant, starts []calendar.Instant) []calendar.Instant {
	m.begun = m.begun || m.held
	switch {
	case !m.begun:
		return nil
	case d.starts[i] && len(kept.Starts) > 0:
		return kept.Starts[:1]
	case d.starts[i]:
		first = d.noticed
	}
	if m.held {
		first = min(first, m.heldAt)
	}
	if d.starts[i] {
		first = max(first, 1) // 0 would be noted as none
	}
	return append(starts, first)
}

// attempts goes through the starts: one while another runs, or after the completion, or past the last attempt is none.
func (d *deriver) attempts(def *catalog.Mission, m *Mission, starts []calendar.Instant, kept *KeptMission) {
	within := calendar.Instant(def.Within.Milliseconds())
	end := calendar.Instant(math.MinInt64)
	for _, s := range starts {
		if m.Attempts >= def.Attempts || s < end {
			continue
		}
		m.Attempts++
		m.Status, m.StartedAt, m.Deadline = Started, s, 0
		end = math.MaxInt64
		if within > 0 {
			end = s + within
			m.Deadline = end
		}
		held, done := m.held, max(s, m.heldAt)
		if kept.Completed {
			held, done = true, kept.CompletedAt
		}
		switch {
		case held && done < end:
			m.Status, m.CompletedAt, m.Deadline = Completed, done, 0
			return
		case end <= d.now:
			m.Status, m.FailedAt, m.Deadline = Failed, end, 0
			m.Failures++
		}
	}
}
