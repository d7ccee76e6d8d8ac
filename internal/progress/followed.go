package progress

import (
	"cmp"
	"iter"
	"slices"

	"laurel/internal/calendar"
	"laurel/streaks"
)

// followed is the plan that the user's streaks were told of by: one before p of the same definitions, when other outages were known. Where there was none such it
// is p, and what came with other definitions is not told.
func (p *Plan) followed(s *State) *Plan {
	if s.Plan == p.print || len(p.outages) == 0 {
		return p
	}
	if was, ok := p.earlier.Load(s.Plan); ok {
		return was.(*Plan)
	}
	was := p
	for known := range p.earlierOutages() {
		if then := p.knowing(known); then.print == s.Plan {
			was = then
			break
		}
	}
	p.earlier.Store(s.Plan, was)
	return was
}

// maxTied bounds how many outages that were declared or taken back at one instant are looked at in every form.
const maxTied = 5

// earlierOutages are the outages as they were known after the latest change of them, after the one before that, and so on, and at last none. Where several changes fell on
// one instant nobody can tell which was the first: then there is each selection of them.
func (p *Plan) earlierOutages() iter.Seq[[]streaks.Outage] {
	return func(yield func([]streaks.Outage) bool) {
		for _, at := range p.outageChanges() {
			if !eachSelection(nil, p.outagesAsOf(at), at, maxTied, yield) {
				return
			}
		}
		yield(nil)
	}
}

// eachSelection yields what follows known, each outage of rest in every form that it may have had at an instant; of up to tied of them.
func eachSelection(known, rest []streaks.Outage, at calendar.Instant, tied int, yield func([]streaks.Outage) bool) bool {
	if len(rest) == 0 {
		return yield(known)
	}
	o, known := rest[0], slices.Clip(known)
	fresh, removed := o.At == at && tied > 0, o.RemoveAt == at && tied > 0
	if fresh || removed {
		tied--
	}
	if !eachSelection(append(known, o), rest[1:], at, tied, yield) {
		return false
	}
	if removed {
		o.RemoveAt = 0
		if !eachSelection(append(known, o), rest[1:], at, tied, yield) {
			return false
		}
	}
	return !fresh || eachSelection(known, rest[1:], at, tied, yield)
}

// outageChanges are the instants at which an outage was declared or taken back, latest first.
func (p *Plan) outageChanges() (at []calendar.Instant) {
	for _, o := range p.outages {
		at = append(at, o.At)
		if o.RemoveAt != 0 {
			at = append(at, o.RemoveAt)
		}
	}
	slices.SortFunc(at, func(x, y calendar.Instant) int { return cmp.Compare(y, x) })
	return slices.Compact(at)
}
