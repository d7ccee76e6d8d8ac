// Package streaks is the streak calculus: how long a user's run of met periods is, how long the longest was, until when the running one lives, and what became of
// it when. docs/STREAKS.md says what it computes. It is pure. Its input is a sparse list of marks (what the user did in which period), the user's
// commands and now; everything that is shown is derived from them and nothing derived is stored as truth, so that a late activity, a rejected one, a
// pause, or a read at an earlier instant is the same computation on another list.
//
// A Sum is what deciding periods in order has come to. Any first part of the marks, up to a met one, may be replaced by its Sum (Calculus.Add): what follows is
// decided on. A Moment is the Sum of everything as of an instant (Calculus.At); a View adds the history to it. Time's own events come from stepping over the instants
// at which something changes (Calculus.Next, Passed), those of activities and commands from comparing the moments before and after (Changed).
//
// # Guarantees
//
//   - The result is a function of the set of marks and commands, the rule, the zones and now: the order in which they came about is not seen.
//   - No dead streak is shown alive: At compares with now, no timer is needed for it to be right.
//   - A date that a zone skipped, a weekday that is not active and a holiday neither extend nor end a run.
//
// # Cost
//
// At is linear in the marks that are not summed up, which the caller keeps few, and in the periods missed since the last of them for as long as a run survives them. It does not
// allocate unless a period was bridged. All functions are safe for concurrent use on values that nobody changes.
package streaks
