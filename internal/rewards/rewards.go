// Package rewards is the calculus of what activities earn: wallets, levels, achievements and missions, as docs/REWARDS.md says. It is pure: it takes what is stored of a
// user, the definitions, and now.
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

// Row is one row of a ledger. Amount is scaled by the wallet's decimals, and below 0 for what takes something away.
type Row struct {
	At       calendar.Instant
	Type     RowType
	Amount   int64
	Category catalog.Category
}

// Ledger is what the rows of activities in a user's wallet amount to; what completions give is not in it, as it is derived. The zero value is the empty ledger. Adding and
// merging do not depend on the order.
type Ledger struct {
	Sums
	Categories [catalog.Categories]int64 // of Earned
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

// Carry is what the units before From amount to, completions included: the lots that were left then, in order, what was owed, and what had expired.
type Carry struct {
	From          calendar.Ordinal
	Lots          []Lot
	Owed, Expired int64
}

// Lot is what is left of what was credited in a unit.
type Lot struct {
	Ordinal calendar.Ordinal
	Left    int64
}

// Mark is what is known of an achievement's criteria over activities in one period: those of Values in the order of the criteria, 0 for criteria of other kinds.
type Mark struct {
	Ordinal calendar.Ordinal
	Values  []Value
}

// Value is what a criterion over activities came to. MetAt is when it was met; Met says that it was.
type Value struct {
	N     int64
	Met   bool
	MetAt calendar.Instant
}

// Kept is what is stored of an achievement.
type Kept struct {
	Marks []Mark // in order
	// Noted is since when it is known that it is completed, where that is not derived; 0 for not.
	Noted calendar.Instant
	// Times is how many periods before the first of Marks were completed, of which Last was the last one, at LastAt.
	Times  int
	Last   calendar.Ordinal
	LastAt calendar.Instant
}

// User is what is known of a user, in the order of the definitions.
type User struct {
	Ledgers      []Ledger // one a wallet
	Achievements []Kept
	// Longest are the greatest lengths of streaks.
	Longest []int64
	// Starts are the instants at which missions were started.
	Starts [][]calendar.Instant
}
