package rewards

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// RowType is what a ledger's row is.
type RowType uint8

// The types of rows.
const (
	Earn RowType = iota
	Redeem
	Spend
	Refund
	Set
	Expire
)

// String returns the word of the API.
func (t RowType) String() string {
	return [...]string{"earn", "redeem", "spend", "refund", "set", "expire"}[t]
}

// Row is one row of a ledger. Amount is scaled by the wallet's decimals, and below 0 for what takes something away.
type Row struct {
	At       calendar.Instant
	Type     RowType
	Amount   int64
	Category catalog.Category // of Earn
}

// Ledger is what the rows in a user's wallet amount to: those of activities, and those of completions that were summed up; what others give is not in it, as it is derived. The
// zero value is the empty ledger.
type Ledger struct {
	Sums
	Categories [catalog.Categories]int64 // of Earned: that of category c at c−1
	// First is the earliest at of an Earn row; 0 where Earned is 0.
	First calendar.Instant
	// Units are the credits and debits of each unit since Carry.From, in order; only of wallets that expire.
	Units []Unit
	Carry Carry
}

// Sums are the sums of rows by type: Earned, Redeemed, Spent, Refunded of what was moved, at least 0; Set as it is.
type Sums struct{ Earned, Redeemed, Spent, Refunded, Set int64 }

// Unit is what was credited and debited in a day or month; both are at least 0.
type Unit struct {
	Ordinal calendar.Ordinal
	In, Out int64
}

// Carry is what the units before From amount to: the lots that were left then, in order, what was owed, and what had expired.
type Carry struct {
	From          calendar.Ordinal
	Lots          []Lot
	Owed, Expired int64
}

// Lot is what is left of what was credited in a unit, above 0.
type Lot struct {
	Ordinal calendar.Ordinal
	Left    int64
}

// Mark is what is known of an achievement's criteria over activities in one period: Values are one a criterion of the definition, those of other kinds the zero value. A close at
// which a user stood well enough for an achievement by rank is a mark too: one value that is met, at the close.
type Mark struct {
	Ordinal calendar.Ordinal
	Values  []Value
}

// Value is what a criterion over activities came to. MetAt is when it was met; Met says that it was, and stays if a sum falls again.
type Value struct {
	N     int64
	Met   bool
	MetAt calendar.Instant
}

// Kept is what is stored of an achievement. The zero value is that of a user who did nothing for it.
type Kept struct {
	Marks []Mark // in order
	// Begun says that some activity ever counted for a criterion, First is the earliest at of one.
	Begun bool
	First calendar.Instant
	// Noted is since when it is known that it is completed, where that is not derived; 0 for not.
	Noted calendar.Instant
	// Times is how many completed periods were summed up: the points that they give are rows of the ledgers. FirstAt is when the first of them was completed, LastAt the last,
	// and Last is its period: no later one has been summed up, and no earlier one can be completed any more.
	Times           int
	Last            calendar.Ordinal
	FirstAt, LastAt calendar.Instant
}

// KeptMission is what is stored of a mission.
type KeptMission struct {
	// Starts are the instants at which it was started, in order: by commands, or, of one that starts by itself where that instant is not derived, as noted.
	Starts []calendar.Instant
	// Noted is since when it is known that all needs hold, where that is not derived; 0 for not.
	Noted calendar.Instant
	// Completed says that it was, at CompletedAt, and that this was summed up: the points that it gives are rows of the ledgers, and Starts are those up to it.
	Completed   bool
	CompletedAt calendar.Instant
}

// User is what is known of a user, each list in the order of the definitions; what lies past a list's end is the zero value.
type User struct {
	Ledgers      []Ledger // one a wallet
	Achievements []Kept
	// Longest are the greatest lengths of streaks.
	Longest  []int64
	Missions []KeptMission
}

// or returns the i-th element, or the zero value past the end.
func or[T any](list []T, i int, zero *T) *T {
	if i < len(list) {
		return &list[i]
	}
	return zero
}
