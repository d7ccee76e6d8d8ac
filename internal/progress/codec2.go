package progress

import (
	"laurel/internal/activity"
	"laurel/internal/fold"
	"laurel/streaks"
)

// Format 2 had a mark for each period since the seal, and wrote out every instant.

func (d *decoder) period2(periods []PeriodTally) (rest []PeriodTally) {
	periods[0].Ordinal = d.period()
	d.tally2(&periods[0].Tally)
	return periods[1:]
}

func (d *decoder) tally2(t *fold.Tally) {
	const some, nonzero, id, set = 1, 2, 4, 8
	flags := d.byte()
	t.Some = flags&some != 0
	t.Nonzero = flags&nonzero != 0
	t.Value = d.int()
	t.Reached = d.instant()
	if flags&id != 0 {
		t.ID = activity.ID(d.string())
	}
	if flags&set != 0 {
		d.set(t)
	}
}

func (d *decoder) mark2(m *streaks.Mark, conditions []Condition) {
	const negative, met = 1, 2
	m.Ordinal = d.period()
	m.Met = d.byte() != 0
	m.MetAt = d.instant()
	for k := range conditions {
		c := &conditions[k]
		d.tally2(&c.Tally)
		flags := d.byte()
		c.Negative, c.Met = flags&negative != 0, flags&met != 0
		c.MetAt, c.LastAt = d.instant(), d.instant()
	}
}
