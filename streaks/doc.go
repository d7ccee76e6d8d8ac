// Package streaks is the streak calculus: how long a user's run of met periods is, how long the longest was, and until when the running one
// lives. It is pure. Its input is a sparse list of marks (what the user did in which period) and now; everything that is
// shown is derived from them and nothing derived is stored as truth, so that a late activity, a rejected one, or a read at
// an earlier instant is the same computation on another list.
//
// # Guarantees
//
//   - The result is a function of the set of marks, the rule, the zones and now: the order in which marks came about is not seen.
//   - No dead streak is shown alive: Derive compares with now, no timer is needed for it to be right.
//   - A date that a zone skipped, and a weekday that is not active, neither extends nor ends a run.
//
// # Cost
//
// Count is linear in the number of marks, which the caller keeps small: periods past the seal are folded into a Sealed summary. It does not
// allocate. All functions are safe for concurrent use on values that nobody changes.
package streaks
