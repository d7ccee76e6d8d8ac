// Package closing ends periods: it closes them when their grace is over, says so in an event, and removes those that are past their retention.
//
// A period is closed at its end + close_grace. For each org, what is due is closed in order of those instants, in three steps:
//
//  1. The fence of every partition says that the period is closed (registry.Close). From then on nothing that is committed counts in it, on whatever node
//     and by whatever clock it was decided: its standings are final, but for imports and for what is taken back.
//  2. What is final is read.
//  3. One commit, guarded by the org's document {0}:closed:<org>, appends an event for each period and notes in the document that it is done.
//
// # Guarantees
//
//   - Exactly once: the document and the events are one commit. Every node runs a Closer; one of them wins, and the others find it done. A node that
//     dies between the steps leaves a fence behind and no event, and the next one goes on from the document.
//   - In order, also where all nodes were down: then everything since is closed in bounded batches.
//     A rule that is pending (its boards are being filled) has its turn when it is whole.
//   - An event is appended for a period in which somebody has a row; periods without any pass in silence. An org's first period to get an event is the
//     first that closes after the org, or the rule or the cycle, was first seen.
//   - What a rule keeps (keep: {week: 26}) is counted at the closed instant that the fence says. A period that falls out is gone in the fence first, so that no
//     commit writes a row of it any more (progress), and then its boards are dropped by commits that followers see. What is gone stays gone, whatever a
//     later catalog says.
//
// Events of periods and of users are kept in a stream of bounded length a partition, for all orgs. Whoever wants to do something at a close follows them (Events): they are durable, and come at
// least once to who remembers the last position. Prizes and achievements by rank are a part of the closing itself: the commit appends transfers to those who stand there by the rule's own
// numbering of ties, which the pumps of package ingest deliver. For that the board is read whole, in memory for as long as that takes.
package closing
