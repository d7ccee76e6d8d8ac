// Package store keeps all state: in a Redis or Valkey server, or in an embedded one with a file beside it. It has the names of all keys, one
// way to write (Store.Commit), and the reads. It knows nothing of leaderboards' rules, streaks or time: what is written was decided before.
//
// # Guarantees
//
// Atomicity. A group of a commit applies whole or not at all; the groups that apply do so in one step, which no reader sees a part of. On a server
// this is one Lua script, on the embedded store one MULTI … EXEC. The one exception is a key that holds a value of another type, which only somebody
// else can have put there: a server's script then stops half-way, with the documents still at their old versions (ErrVerify).
//
// Once. A document's version is 48 random bits, drawn for each commit. A group applies only while its document has the version that it expects, so
// of two writers one wins and the other learns what is there now. A commit whose reply was lost is asked for again with the same version: groups
// whose documents have it already are not written again. Groups without a document are written again, and may therefore not append to streams.
//
// Order. Commits to one partition have one order, that of the change stream. Within a commit the plain writes are done in the order of the groups,
// then the writes to boards, then the change entry, then the documents. Writes to a sorted set are joined over all groups where that makes no difference.
//
// Delivery. Each commit that wrote anything is one entry of {n}:changes, in the same step: followers see every commit once, in order, all its board
// writes under one revision. The stream is limited; who falls behind its beginning gets feed.ErrTrimmed and must load anew. Each entry
// names the one before it, so that a follower notices history that a failover or a restored backup took away. What became true for users (Group.Events) is
// in that entry, and in the outbox of the partition, about the last 100,000 entries (a group's events are one): in the order of the groups, and as often as the group was applied, once.
//
// Durability. Result.Durability says what the commit has survived to: on a server what its configuration says (read at most once a
// second; what cannot be read counts as memory), embedded what the fsync policy says. A crash of the embedded store's process loses nothing that
// was acknowledged under always, and nothing under the other policies either unless the machine goes down too: then up to a second under everysec, and what the
// operating system had not written yet under no. A commit that was on its way may be there or not, but never a part of it.
//
// # A cluster
//
// All keys of a partition are in one slot. A commit runs on the server that has all of it, or not at all: while the slot moves from one server to another Commit
// gives ErrUnavailable, and so do Users, Boards and Walk; other reads go on. Result.Durability is Replicated where Options.Replicas replicas have the commit.
// Changes gives an error once where another server has the partition than before: it may lack what the one before had.
//
// # The embedded store
//
// Every commit is appended to appendonly.aof as one block (MULTI, the commands with absolute stream ids, a checksum, EXEC) before it is applied to memory,
// in batches: commits that do not check what one before them writes share one write and one fsync. A start replays the file. A torn end is cut off with a
// warning; anything else that is not as it was written stops the start and names the offset. After a failed write or fsync the store refuses every
// further commit and Run returns the error. Once the file is over 16 MiB and twice its size after the last rewrite, Run writes it anew from memory; commits wait
// meanwhile, a second or two for each 100 MB. The file can be loaded into a real server with redis-cli --pipe.
//
// What a deleted user leaves in the change stream goes at an age of 30 minutes (Options.ChangesAge), however quiet the store is; then the file is written anew, at
// most once in that time: twice the age after a deletion nothing names the user. A server's append-only file, snapshots and backups are the operator's.
//
// The data directory is locked: the process that has it is the only writer.
//
// # Cost
//
// A commit is one round trip. On a server, 100 activities of 100 users, each with a document of 300 bytes, a fence, a log record and three boards of 100,000
// users, cost 1.5 to 2 times the CPU of three pipelined ZINCRBY each (go test -bench Commit ./internal/store). Reads are one round trip a
// 1,000 keys; LoadBoard reads the whole sorted set, about a millisecond of the server at a time; Durability and Changes at the stream's end cost one more round trip each.
//
// # Concurrency
//
// All methods of Store may be called concurrently. Commits to one partition from many goroutines are correct but contend; a node should have one writer
// for each.
package store
