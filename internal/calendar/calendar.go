// Package calendar computes periods and their labels: the one place in Laurel where a boundary between two days, weeks,
// months or other windows is decided. It is pure: no clock is read, every answer is a function of its arguments.
//
// A local date begins at the first instant at which the local date is that date or later. That one sentence covers clocks
// that spring over midnight, clocks that fall back over midnight, and zones that skip a whole date (such a date is no period).
package calendar

import (
	"errors"
	"time"
)

// Instant is a point in time: milliseconds since 1970-01-01T00:00:00Z. Activities may lie at 0 or later.
type Instant int64

// Date is a civil date without a zone: days since 1970-01-01 in the proleptic Gregorian calendar.
type Date int32

// Unit is the kind of a cycle.
type Unit uint8

// The units of DESIGN §2. Days is "every N days"; Listed is a list of explicit windows.
const (
	Day Unit = iota + 1
	Week
	Month
	Quarter
	Year
	All
	Days
	Listed
)

// Cycle says how time is cut into periods. The zero value is not a cycle.
type Cycle struct {
	Unit Unit
	// N is the number of days of a period and From the first date of one of them; only for Days. Periods extend in
	// both directions from From.
	N    int
	From Date
	// ID names the list and Windows are its windows in order of Start, disjoint; only for Listed.
	ID      string
	Windows []Window
}

// Window is one listed period: [Start, End).
type Window struct {
	ID         string
	Start, End Instant
}

// Calendar holds what a boundary depends on beside the cycle. A literal works, and so does a copy with another zone; New makes
// one whose answers are quick whichever zone data the machine has. Its methods may be called by many goroutines at once.
type Calendar struct {
	Zone      *time.Location // never nil
	WeekStart time.Weekday
	// DayStart moves the boundary between two dates to this wall-clock time: with 4h, 03:59 still belongs to the date before.
	// 0 ≤ DayStart < 24h.
	DayStart time.Duration

	table *table // used while it is of Zone; nil asks the time package each time
}

// Ordinal numbers the periods of a cycle without gaps in the civil calendar: days, weeks, months, quarters and years since the one that holds 1970-01-01
// (which is 0); Days from the period that begins at From (0); Listed by position (from 0); All is always 0. The dates a zone skipped keep
// their ordinals, but no instant has them.
type Ordinal int32

// Period is one window of a cycle. All has neither Start nor End (Bounded is false).
type Period struct {
	Ordinal    Ordinal
	Label      string
	Start, End Instant // [Start, End)
	Bounded    bool
}

// ErrBadLabel says that a label is malformed, names a period of another cycle, or a period that does not exist.
var ErrBadLabel = errors.New("label names no period of this cycle")

// ErrBadInstant says that a time is not RFC 3339 with an offset, has second 60, or lies before 1970.
var ErrBadInstant = errors.New("not an RFC 3339 time with an offset")
