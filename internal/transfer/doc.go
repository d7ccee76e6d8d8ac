// Package transfer writes all that a deployment keeps to one stream of lines, and makes a deployment of such a stream: backup and restore, and the way from one
// kind of store, or one number of partitions, to another. docs/EXPORT.md is the format.
//
// # What is in it
//
// What is decided once: definitions with their fences, API keys (hashes), imports, and of each user the zones, flags, attributes, profile, pauses and commands for streaks, counters of
// behaviours, seal, base and log, with every field of every activity; and the effects on others that are on their way. States, boards and deadlines follow from that and are made anew (internal/account). Not in it: the change stream,
// the outbox, the deployment's own secrets (cursors that were handed out end with it), and boards of rules that the catalog does not define.
//
// # Guarantees
//
//   - Export: each user is of one moment, also beside a running server; different users are of different ones. The order is fixed (orgs, users by id, activities by
//     time), so that two exports of the same data differ in their first line and its checksum only.
//   - Import: each user is written whole by one commit that holds only if the user is not there (what does not fit into one commit goes before it, and counts only with
//     it). A run that was broken off is taken up by running it again with the same dump: users who are there as the dump has them are passed over.
//   - The last line holds counts and a SHA-256 of all before it: what is cut off or changed is noticed, with the number of the line where it shows.
//
// # Cost
//
// Export holds the list of users (about 70 bytes each) and a few users' logs at a time, import one batch of users.
package transfer

import "errors"

// What may be wrong with a dump or a target.
var (
	// ErrFormat: the stream is no export, or of a format that this version does not read.
	ErrFormat = errors.New("not an export that this version reads")
	// ErrDamaged: a line is not as it was written, is missing, or comes where it must not.
	ErrDamaged = errors.New("the export is damaged")
	// ErrNotEmpty: the target holds data that is not of this dump.
	ErrNotEmpty = errors.New("the target is not empty")
	// ErrUnreadable: something that is stored cannot be read and so cannot be exported.
	ErrUnreadable = errors.New("cannot be read; see laurel verify")
)
