package ranking

import (
	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Order says which end of the values ranks first.
type Order uint8

const (
	// Descending ranks the greatest value first. It is the zero value.
	Descending Order = iota
	// Ascending ranks the smallest value first.
	Ascending
)

// Ties says how entries of equal value are numbered. It never changes the order of the entries, only their ranks.
type Ties uint8

const (
	// Ordinal numbers every entry: 1 2 3 4. It is the zero value.
	Ordinal Ties = iota
	// Standard gives equal values the rank of the first of them and leaves a gap behind: 1 2 2 4.
	Standard
	// Dense gives equal values the same rank and leaves no gap: 1 2 2 3.
	Dense
)

// Entry is one user's standing on a board.
type Entry struct {
	User  activity.User
	Value int64
	// Reached is when the user came to Value; of two with equal values the earlier ranks first.
	Reached calendar.Instant
}

// Row is an entry with its rank, counted from 1.
type Row struct {
	Rank int
	Entry
	number uint32 // of the user, on the board and at the moment of which the row is; see Elsewhere
}

// Equal says whether two rows show the same.
func (r Row) Equal(q Row) bool { return r.Rank == q.Rank && r.Entry == q.Entry }

// sortable turns a value into one that ascends in the board's order, and back: it is its own inverse. The complement
// reverses the order of all int64, where negation would fail at the smallest.
func (o Order) sortable(v int64) int64 {
	if o == Descending {
		return ^v
	}
	return v
}
