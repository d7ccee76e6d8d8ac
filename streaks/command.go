package streaks

import "laurel/internal/calendar"

// Commands are what a user, or the customer for the user, ordered for one streak. Each has its instant (At); lists are in order of it.
type Commands struct {
	Grants   []Grant
	Restores []Restore
	Targets  []Target
	OptOuts  []OptOut
}

// Grant gives N freezes, of which those count that stay within the rule's max then. They can cover a miss of From, the first period that could still be met
// at that instant, and of later ones.
type Grant struct {
	At   calendar.Instant
	From calendar.Ordinal
	N    int
}

// Restore names the periods of a gap, First to Last, of which the unmet ones do not end the streak.
type Restore struct {
	At          calendar.Instant
	First, Last calendar.Ordinal
	Reason      string // what was said of it, for the audit
}

// Target is the user's own target (scaled) for the rule's one condition, from period From on; N 0 is the rule's own.
type Target struct {
	At   calendar.Instant
	From calendar.Ordinal
	N    int64
}

// OptOut says that from At on the user has no such streak (Out), or has it again.
type OptOut struct {
	At  calendar.Instant
	Out bool
}

// Pause is a range of local dates in which the streaks of one user cannot be missed.
type Pause struct {
	ID       uint32 // one of the user's; they count up
	At       calendar.Instant
	From, To calendar.Date // both inclusive
	// CutAt is when it was ended, 0 if it was not: it then lasted only to CutTo, which may be before From.
	CutAt calendar.Instant
	CutTo calendar.Date
}

// Until is the last date of the pause.
func (p *Pause) Until() calendar.Date {
	if p.CutAt != 0 {
		return min(p.CutTo, p.To)
	}
	return p.To
}

// Outage is a range of instants, From to before To, in which no streak of the org can be missed.
type Outage struct {
	ID       string           `json:"id"`
	At       calendar.Instant `json:"at"`
	From     calendar.Instant `json:"from"`
	To       calendar.Instant `json:"to"`
	Reason   string           `json:"reason,omitempty"`
	RemoveAt calendar.Instant `json:"removed_at,omitzero"` // when it was taken back, 0 if it was not
}
