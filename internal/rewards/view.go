package rewards

import (
	"math"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// View is what is shown of a user at an instant, each list in the order of the definitions. The zero value can be derived into; its memory is used again.
type View struct {
	Wallets      []Wallet
	Levels       []Level
	Achievements []Achievement
	Missions     []Mission
	// Completions are those that were not summed up, in catalog.Earning.Order and those of one achievement by period.
	Completions []Completion
	// Stale says that something no longer holds which was summed up with a noted instant: the User has to be made anew from what is not summed up.
	Stale bool
	// Err is fold.ErrRange where a number would have left ±2^53, and is shown as the nearest within; else nil.
	Err error

	parts []Part
}

// Wallet is what a wallet's rows, completions' included, amount to. Expired is at least 0.
type Wallet struct {
	Sums
	Expired, Balance int64
	Categories       [catalog.Categories]int64 // of Earned: that of category c at c−1
	// First is the earliest at of an Earn row; 0 where Earned is 0.
	First calendar.Instant
	// Lots are what is left of what expires, in order; Owed is what debits lacked: Balance is the sum of Lots less Owed. Both of wallets that expire only.
	Lots []Lot
	Owed int64

	given  []Unit           // by completions that are not summed up
	ending calendar.Ordinal // the unit of the lot that ends next, if ends
	ends   bool
}

// Level is how many steps are reached. Missing is what the wallet has to earn for the next one (the definition's Steps[Index]), 0 where there is none.
type Level struct {
	Index   int
	Missing int64
}

// Part is how near a criterion or need is to its end: Progress is within 0 … Max, and Max where it is Met.
type Part struct {
	Progress, Max int64
	Met           bool
}

// Achievement is how a user stands with one. Part and CompletedAt are of the current period; of one by rank, of the last completed one. Met is that it is completed.
type Achievement struct {
	Part
	CompletedAt calendar.Instant // 0 where it is not
	// Times is how many periods were completed, the first of them at FirstAt, the last at LastAt.
	Times           int
	FirstAt, LastAt calendar.Instant
	// Begun says that there was progress in any period, from First on where that is known (Calculus says of which achievements it is).
	Begun bool
	First calendar.Instant

	parts, completions span
	summed             int
	last               calendar.Ordinal // of what is summed up
}

// span is a part of a list of the View.
type span struct{ from, to int }

// Status is how a mission stands.
type Status uint8

// Available can be started; Started runs; Failed's last attempt was not completed in time.
const (
	Available Status = iota
	Started
	Completed
	Failed
)

// String returns the word of the API.
func (s Status) String() string { return [...]string{"available", "started", "completed", "failed"}[s] }

// Mission is how a user stands with one. Instants are 0 where there is none.
type Mission struct {
	Status Status
	// Attempts is how many were begun, of which Failures were not completed in time.
	Attempts, Failures int
	StartedAt          calendar.Instant // of the last attempt
	CompletedAt        calendar.Instant
	FailedAt           calendar.Instant // of the last failure
	// Deadline is when the attempt that runs fails: 0 for never, or where none runs.
	Deadline calendar.Instant
	// Startable says that a start is accepted: the definition wants one, none runs or was completed, and attempts are left.
	Startable bool

	parts  span
	begun  bool             // any of the needs
	held   bool             // all of the needs
	heldAt calendar.Instant // since then, unless what was noted of it was sealed
	summed bool
}

// SuccessRate is 100 · completed / attempts, to two decimals; 0 without attempts.
func (m *Mission) SuccessRate() float64 {
	if m.Status != Completed || m.Attempts == 0 {
		return 0
	}
	return math.Round(100*100/float64(m.Attempts)) / 100
}

// Completion is that an achievement was completed in a period, or a mission (Period 0). At is when.
type Completion struct {
	Of     catalog.Derived
	Period calendar.Ordinal
	At     calendar.Instant
}

// Criteria are how near the criteria of the i-th achievement are, in the current period. The slice is the View's.
func (v *View) Criteria(i int) []Part {
	s := v.Achievements[i].parts
	return v.parts[s.from:s.to]
}

// Needs are how near the needs of the i-th mission are. The slice is the View's.
func (v *View) Needs(i int) []Part {
	s := v.Missions[i].parts
	return v.parts[s.from:s.to]
}

// Periods are the completions of the i-th achievement that were not summed up, by period. The slice is the View's.
func (v *View) Periods(i int) []Completion {
	s := v.Achievements[i].completions
	return v.Completions[s.from:s.to]
}
