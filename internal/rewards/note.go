package rewards

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Note is an instant to be stored, as no activity gives it: Kept.Noted or KeptMission.Noted becomes At, or, with Start, the one of KeptMission.Starts. At 0 says that there is none
// any more.
type Note struct {
	Of    catalog.Derived // an achievement or a mission
	Start bool
	At    calendar.Instant
}

// Notes appends what has to be stored of a view that was derived from u, for the next Derive to say the same: what came true by other than activities since when it was noticed, and
// what no longer is true. There is nothing to note of what was summed up.
func (c *Calculus) Notes(notes []Note, v *View, u *User) []Note {
	for i, noted := range c.achievements {
		kept, a := or(u.Achievements, i, &Kept{}), &v.Achievements[i]
		if at := a.CompletedAt; noted && kept.Times == 0 && at != kept.Noted {
			notes = append(notes, Note{Of: catalog.Derived{Kind: achievements, Index: i}, At: at})
		}
	}
	for i := range c.held {
		kept, m, of := or(u.Missions, i, &KeptMission{}), &v.Missions[i], catalog.Derived{Kind: missions, Index: i}
		if m.summed {
			continue
		}
		if c.held[i] && m.heldAt != kept.Noted {
			notes = append(notes, Note{Of: of, At: m.heldAt})
		}
		start := calendar.Instant(0)
		if len(kept.Starts) > 0 {
			start = kept.Starts[0]
		}
		if c.starts[i] && m.StartedAt != start {
			notes = append(notes, Note{Of: of, Start: true, At: m.StartedAt})
		}
	}
	return notes
}

// Take stores notes.
func (u *User) Take(notes []Note) {
	for _, n := range notes {
		if n.Of.Kind == achievements {
			u.achievement(n.Of.Index).Noted = n.At
			continue
		}
		m := u.mission(n.Of.Index)
		switch {
		case !n.Start:
			m.Noted = n.At
		case n.At == 0:
			m.Starts = nil
		default:
			m.Starts = []calendar.Instant{n.At}
		}
	}
}

func (u *User) achievement(i int) *Kept {
	u.Achievements = resize(u.Achievements, max(len(u.Achievements), i+1))
	return &u.Achievements[i]
}

func (u *User) mission(i int) *KeptMission {
	u.Missions = resize(u.Missions, max(len(u.Missions), i+1))
	return &u.Missions[i]
}

func (u *User) ledger(i int) *Ledger {
	u.Ledgers = resize(u.Ledgers, max(len(u.Ledgers), i+1))
	return &u.Ledgers[i]
}
