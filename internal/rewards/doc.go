// Package rewards is the calculus of what activities earn: wallets, levels, achievements and missions. docs/REWARDS.md says what it computes. It is pure: it takes what is
// stored of a user (User), the definitions and their calendar (Calculus), and now; everything that is shown (View) is derived from them, and nothing derived is stored as
// truth, so that a late activity, a rejected one, or a read later on is the same computation on another User.
//
// A User is made by its holder: Ledger.Add takes rows, Kept.Marks what criteria over activities came to, KeptMission.Starts commands. Calculus.Derive makes the View, Notes says
// which instants of it must be stored because no activity gives them, Changes compares two Views for events, Next and Expiries say what time alone will do or did. SumUp moves
// what lies far enough back into sums, so that a User stays small.
//
// # Guarantees
//
//   - The View is a function of the set of rows, marks, starts and noted instants, the definitions and now: the order in which they came about is not seen.
//   - Taking a row or a mark away (by making the User anew without it) gives the View that would have been without it. Noted instants stay as they were noted.
//   - Deriving from a User that was summed up gives the View of one that was not, but for the completions that are listed.
//   - The balance is always the sum of all rows, and of the lots that are left less what is owed.
//
// # Ranges
//
// Ledger.Check refuses (fold.ErrRange) a row with which a sum of the ledger's rows, or what a unit credits or debits, would leave ±2^53. Derive adds what completions give; a sum or
// balance that leaves the range by that is shown as the nearest number within it, and View.Err is fold.ErrRange: whoever adds an activity asks it.
//
// # Cost
//
// Derive is linear in the definitions, the marks, the completions listed, and the units and lots of wallets that expire. A View's memory is used again, so deriving into one that
// was derived into before does not allocate. A Calculus may be used by many goroutines at once, a User by readers, a View by one.
package rewards
