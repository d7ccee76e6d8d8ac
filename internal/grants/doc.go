// Package grants is what becomes of rewards that users are given: grants with their statuses, codes, and the stock that they are taken from. docs/REWARDS.md says what it means. It is
// pure: it takes what is stored and now, and says what is to be stored.
//
// # Grants
//
// A Grant is a record of its user, written in the user's commits only. Those that completions give are derived: Judge compares them with what is there, and says which are issued and
// which go. One that was taken back stays as a record that nobody is shown, so that the same one comes back.
//
// # Stock
//
// A Stock counts the pieces of a reward that are held, and a hash beside it has each hold. User and stock are two documents, which no commit spans. So whoever adds or takes away a
// grant of a limited reward first opens its hold, after reading the version of the user that the commit names; then commits the user; then settles the hold. An open hold
// means: ask the user. Invariants:
//
//   - Held is the sum of all holds, open ones included, so it is never less than what users have.
//   - A hold that is not open is had by a user, or was when the user was deleted.
//   - An open hold is settled by who opened it last, or, when it is old, by anyone who has moved the user's version since: whatever was decided before then comes too late.
package grants
