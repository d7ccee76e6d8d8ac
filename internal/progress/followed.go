package progress

import (
	"cmp"
	"slices"

	"laurel/internal/calendar"
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
	for _, at := range p.outageChanges() {
		if then := p.AsOf(at - 1); then.print == s.Plan {
			was = then
			break
		}
	}
	p.earlier.Store(s.Plan, was)
	return was
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
