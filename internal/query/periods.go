package query

import (
	"sync/atomic"

	"laurel/internal/calendar"
)

// periods remembers the periods that were asked for last. What one is follows from calendar, cycle and ordinal alone, so nothing here is ever out of date; to find
// where its dates begin in the zone, and to spell its label, is a fortieth of a read. It is safe for concurrent use; its zero value remembers nothing yet.
type periods struct {
	places [64]atomic.Pointer[knownPeriod]
}

type knownPeriod struct {
	cal  *calendar.Calendar
	unit calendar.Unit
	n    int
	from calendar.Date
	calendar.Period
}

// of is what cal.PeriodOf says.
func (p *periods) of(cal *calendar.Calendar, cy calendar.Cycle, o calendar.Ordinal) calendar.Period {
	if cy.Unit == calendar.All || cy.Unit == calendar.Listed { // there it is only looked up
		return cal.PeriodOf(cy, o)
	}
	at := &p.places[(uint(o)<<3+uint(cy.Unit))%uint(len(p.places))]
	k := at.Load()
	if k == nil || k.cal != cal || k.unit != cy.Unit || k.n != cy.N || k.from != cy.From || k.Ordinal != o {
		k = &knownPeriod{cal, cy.Unit, cy.N, cy.From, cal.PeriodOf(cy, o)}
		at.Store(k)
	}
	return k.Period
}
