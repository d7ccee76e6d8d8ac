// Package progress is the pure core of Laurel: what a user's activities amount to. Apply takes a user's state, activities
// and now, and returns the state afterwards and its effects as absolute values; who commits them, and where, is not its business.
//
// # Guarantees
//
//   - The set law: a state is a function of the set of accepted activities, the user's commands and the catalog. Applying in any order, in any
//     batches, gives the same state as Rebuild from the whole log.
//   - An activity is applied whole or refused whole: what would leave the exact range in one rule is refused in all.
//   - Decisions at arrival (refusals, cool-off, caps, and what Decide says of points) are recorded on the activity and never taken again.
//
// # How undo works
//
// A tally cannot forget. The user's log keeps every activity since the seal, and a base keeps the fold of those before it. State = base ⊕
// fold(log): taking an activity back, and what else Apply cannot decide from the state alone (Update.NeedLog), is Rebuild from the two and the Diff of the
// boards before and after. Folding moves activities from the log into the base and changes nothing that is shown.
//
// # What is earned
//
// Earnings keeps a rewards.Ledger a wallet and, of achievements, Conditions by period as streaks do; internal/rewards derives all that is shown. Apply derives before and after:
// events are the difference, and what holds without an instant of its own is noted with that of the commit (State.Noticed). What lies a week back is summed up where wallets expire or
// achievements recur; an activity that comes for it is decided by the log. Folding sums the base up to the seal, and only that is final.
//
// # What is decided
//
// Decide says which rows an activity of kind point, coupon, gift or bounty moves, against the state as of now and facts that the shell gathers; Apply then takes the rows as they were decided
// (activity.Decided), whatever the balance: it may fall below 0 by a reject. CheckReject and CheckRestore keep together what rests on each other: a refund and its debit, a bounty and its end.
//
// # Cost
//
// Apply is linear in (activities × matching rules × cycles) plus the user's marks of each streak it touched: those of a week and the 30 that a view
// shows. Marks of earlier periods are summed up, and an activity that comes for one of them is decided by the log. A State is owned by one
// goroutine at a time; a Plan is immutable and shared.
package progress
