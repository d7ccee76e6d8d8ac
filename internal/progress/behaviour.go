package progress

import (
	"cmp"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// keptCounts bounds how many periods of a cap are remembered for one behaviour.
const keptCounts = 64

// behaviourOf is the declaration of what an activity is, nil for none.
func (p *Plan) behaviourOf(act *activity.Activity) *catalog.Behaviour {
	if act.Kind != activity.Behaviour {
		return nil // another kind's names are of its own
	}
	return p.Catalog.Behaviours[act.Name]
}

// ignores says why an activity of behaviour b (nil: undeclared) is to be ignored, "" if it is not. Imported history is taken as it was.
func (s *State) ignores(p *Plan, b *catalog.Behaviour, act *activity.Activity) string {
	if b == nil || act.Imported {
		return ""
	}
	bs := s.behaviour(b.Name)
	if bs == nil {
		return ""
	}
	// A late activity is not within the cool-off of a later one that was far away.
	if off := millis(b.CoolOff); off > 0 && act.At < bs.LastAt+off && act.At > bs.LastAt-off {
		return ReasonCoolOff
	}
	if b.CapCount > 0 {
		if o, ok := p.cal.OrdinalAt(b.CapPer, act.At); ok && bs.count(o) >= b.CapCount {
			return ReasonCap
		}
	}
	return ""
}

// noteBehaviour remembers an accepted activity for later decisions.
func (s *State) noteBehaviour(p *Plan, b *catalog.Behaviour, act *activity.Activity) {
	if b == nil || act.Imported || b.CoolOff == 0 && b.CapCount == 0 {
		return
	}
	bs := s.behaviour(b.Name)
	if bs == nil {
		s.Behaviours = append(s.Behaviours, BehaviourState{Name: b.Name})
		bs = &s.Behaviours[len(s.Behaviours)-1]
	}
	bs.LastAt = max(bs.LastAt, act.At)
	if b.CapCount > 0 {
		if o, ok := p.cal.OrdinalAt(b.CapPer, act.At); ok {
			bs.add(o)
		}
	}
}

func (s *State) behaviour(name string) *BehaviourState {
	for i := range s.Behaviours {
		if s.Behaviours[i].Name == name {
			return &s.Behaviours[i]
		}
	}
	return nil
}

func (b *BehaviourState) find(o calendar.Ordinal) (int, bool) {
	return slices.BinarySearchFunc(b.Counts, o, func(c PeriodCount, o calendar.Ordinal) int { return cmp.Compare(c.Ordinal, o) })
}

func (b *BehaviourState) count(o calendar.Ordinal) int {
	if i, found := b.find(o); found {
		return b.Counts[i].N
	}
	return 0
}

func (b *BehaviourState) add(o calendar.Ordinal) {
	i, found := b.find(o)
	if !found {
		b.Counts = slices.Insert(b.Counts, i, PeriodCount{Ordinal: o})
	}
	b.Counts[i].N++
	if len(b.Counts) > keptCounts {
		b.Counts = slices.Delete(b.Counts, 0, 1)
	}
}
