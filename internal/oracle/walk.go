package oracle

import "time"

// walk decides the required periods one after the other, and keeps what comes of it.
type walk struct {
	v    *view
	next time.Time // the first period that is not decided, zero where none has an activity

	// The streak that runs, if one does.
	runs        bool
	length      int
	mets        int // met periods of it
	first, last time.Time
	spent       []time.Time // periods that were frozen since last

	held, used int
	grants     []Grant // those to come

	longest    Span
	total      int
	extendedAt time.Time
	past       []Ended
	bridged    map[time.Time]string // what was decided of unmet periods, where that is not missed
	log        []decision
}

// decision is what the deadline of an unmet period brought.
type decision struct {
	kind     string // frozen, decayed, lost
	period   time.Time
	at       time.Time
	length   int // lost: what was; else what is left
	returned int // lost: freezes that came back
}

// decide walks from the first period with an activity to the open one.
func (v *view) decide() *walk {
	w := v.begin()
	w.until(v.open)
	return w.with(v.open)
}

// begin is before the first period with an activity.
func (v *view) begin() *walk {
	w := &walk{v: v, grants: v.Grants, bridged: map[time.Time]string{}}
	for p := range v.periods {
		if w.next.IsZero() || p.Before(w.next) {
			w.next = p
		}
	}
	if v.latest != nil {
		w.gain(v.rule.Freezes.Initial)
	}
	return w
}

// until decides the periods before the open one.
func (w *walk) until(open time.Time) {
	if w.next.IsZero() {
		return
	}
	for ; w.next.Before(open); w.next = w.v.rule.Unit.next(w.next) {
		switch p := w.next; {
		case !w.runs && !w.v.metIn(p): // nothing to bridge or to lose
		case !w.v.active(p):
		case w.v.metIn(p):
			w.met(p)
		default:
			w.unmet(p)
		}
	}
}

// with is the walk with the open period, which counts if it is met, and with all that was granted.
func (w *walk) with(open time.Time) *walk {
	end := *w
	if w.v.metIn(open) && w.v.active(open) {
		end.met(open)
	}
	for _, g := range end.grants {
		end.gain(g.N)
	}
	return &end
}

// gain gives n freezes, one by one while fewer than max are held, and says how many that were.
func (w *walk) gain(n int) int {
	gained := 0
	for ; gained < n && w.held < w.v.rule.Freezes.Max; gained++ {
		w.held++
	}
	return gained
}

func (w *walk) met(p time.Time) {
	if !w.runs {
		w.runs, w.length, w.mets, w.first = true, 0, 0, p
	}
	w.last, w.spent = p, nil
	w.length++
	w.mets++
	w.total++
	w.extendedAt = w.v.periods[p].metAt
	if every := w.v.rule.Freezes.EarnEvery; every > 0 && w.mets%every == 0 {
		w.gain(1)
	}
	if w.length > w.longest.Length {
		w.longest = w.current()
	}
}

// current is the streak that runs, the zero Span if none does.
func (w *walk) current() Span {
	if !w.runs {
		return Span{}
	}
	return Span{Length: w.length, First: w.v.label(w.first), Last: w.v.label(w.last), Reached: w.v.periods[w.last].metAt}
}

// unmet decides a period that was not met while a streak runs.
func (w *walk) unmet(p time.Time) {
	at := w.v.deadline(p)
	for len(w.grants) > 0 && w.grants[0].covers(p, at) {
		w.gain(w.grants[0].N)
		w.grants = w.grants[1:]
	}
	rule := w.v.rule
	switch {
	case w.v.paused(p):
		w.bridged[p] = "paused"
	case w.v.restores(p):
		w.bridged[p] = "restored"
	case rule.OnMiss == "none":
	case w.held > 0:
		w.held--
		w.used++
		w.spent = append(w.spent, p)
		w.bridged[p] = "frozen"
		w.log = append(w.log, decision{kind: "frozen", period: p, at: at, length: w.length})
	case rule.OnMiss == "decay" && w.length > rule.Decay:
		w.length -= rule.Decay
		w.log = append(w.log, decision{kind: "decayed", period: p, at: at, length: w.length})
	default:
		w.lose(p, at)
	}
}

// lose ends the streak with the miss of a period.
func (w *walk) lose(p, at time.Time) {
	w.past = append(w.past, Ended{w.current(), at})
	for _, frozen := range w.spent {
		delete(w.bridged, frozen)
	}
	returned := w.gain(len(w.spent))
	w.used -= returned
	w.log = append(w.log, decision{kind: "lost", period: p, at: at, length: w.length, returned: returned})
	w.runs, w.spent = false, nil
}
