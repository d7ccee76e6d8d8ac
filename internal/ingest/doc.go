// Package ingest is the write path: it takes validated activities, groups them by user, lets progress decide what they amount to, and
// commits. Each partition has one writer, through which all changes of users' states go: activities, imports, reject and restore, zone changes.
//
// # Batches
//
// A writer takes whatever waits, up to a bound, and commits it at once; what arrives while that commit is on its way is the next batch, which is
// decided meanwhile. A few are under way together, of different users, so that nothing overtakes a user's own work. There is no timer: an idle server
// answers a single activity in one round trip, a busy one fills its batches by itself.
//
// # Guarantees
//
//   - Ordering: activities of one request for one user are decided in the order of the request; between requests, and between the names of users who
//     were merged, there is none to promise.
//   - Atomicity: all effects on a user are one group of one commit. A group that lost a race (another node wrote the user, the catalog changed, the
//     id is there already) is decided again on what is there now.
//   - Delivery: an outcome is reported after its commit. When the store fails midway an item has no outcome: it may have been stored, and
//     sending it again with the same id is safe.
//   - A crash loses nothing that was reported, to the durability that the report names.
//
// # Time
//
// Deadlines of streaks are swept from {n}:due: each partition's sweeper wakes at the first of them, or a quarter of a second later at most, and has those
// users decided whose deadline has passed, a batch of them in turn with one of activities. Two nodes may sweep the same user; one commit wins.
//
// # Others
//
// What an activity gives to another user leaves with its commit as a transfer, and reaches the other's log by a pump: at once on the node that committed it, within a second or so on any
// other, exactly once however often it is delivered (transfer.go, pump.go). A node that ends delivers what is open for a few seconds; the rest waits for the others.
//
// # Limits
//
// Each partition's queue holds a bounded number of activities, and of users to be decided again; past it Submit answers ErrOverloaded at once. States are cached in a
// bounded cache; a cached state is dropped when the change stream shows another version of it. Past as many open transfers of a partition as its queue may hold, gifts and bounties of its
// users are refused with ErrOverloaded.
package ingest
