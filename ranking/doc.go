// Package ranking answers "which rank has this user" and "who stands at these ranks" from memory, and keeps what it
// answers from as the store is. Index is one board's users in order; Boards holds the boards that are in use, loads them and
// follows the store's change streams. The package knows the store only as a Source.
//
// # The index
//
// An Index orders users by value (greatest or smallest first), equal values by who reached the value first, and those by the
// bytes of the user id. How ties are numbered (Ties) changes ranks, never the order.
//
// It is a counted B-tree in arrays beside a table of users. Users are interned to 32-bit numbers: the bytes of their ids lie in
// an arena, an open-addressing table leads from an id to its number, and a record from the number to the leaf that holds the
// user's entry. Leaves hold up to 64 entries, values, times and numbers in separate arrays; inner nodes hold up to 64 children.
// No member is a heap object, and what belongs to more than some 70,000 is outside of the heap (see memory). Invariants (a test checks all of them after random operations), with E(n) the entries below node n:
//
//	order      E(root) ascends strictly in (value·order, reached, id)
//	keys       inner.keys[i] = first(E(child[i]))
//	count      inner.count[i] = |E(child[i])|,  leaf: n = |E|
//	firsts     leaf bit i set ⇔ entry i has another value than the entry before it on the board, or is the first
//	           inner.firsts[i] = Σ set bits of the leaves below child[i]
//	fill       24 ≤ n ≤ 64 for every node but those at the two ends of a level
//	links      leaf.next, leaf.prev chain the leaves in order; parent(child[i]) = the node
//	users      leafOf(u) = the leaf with u's entry, for every user; table, free numbers and arena: see users, table and arena
//
// The bit of an entry does not depend on where leaves begin, so the counts of firsts simply add up over nodes and move with
// entries, and a dense rank is a sum like an ordinal one. (Distinct values per node, joined by comparing the last value of one with
// the first of the next, would need both borders at every level.)
//
// A rank is found from below: table → record → leaf, then up the parents, adding what comes before. No key is compared.
//
//	Rank, Position, Get    O(log n): one lookup, one leaf and the log₆₄ n inner nodes above it
//	Upsert, Remove         O(log n); a move inside a leaf touches only that leaf, unless its firsts or first key change
//	Find, Apply            the same for many users, in a half to a third of the time: what they wait for memory overlaps (see batch.go)
//	Range, Around          O(log n + rows)
//	After                  O(log n)
//	Elsewhere.Find         as Find on the other board, at first; then one look a user until that board changes
//
// Rank, Get, Range, Around and Find into a slice with room, and Upsert and Apply of users who are there do not allocate (growth of the index aside). A
// member takes 48 to 64 bytes beside its id: 20 a place in a leaf, 8 a slot in the table, both in part empty, 8 for the record, 1 for the
// length; and 16 more where places on another board are remembered, for each 4,096 users of whom one was asked about. Memory follows the greatest size that a board had until it is dropped. It grows in steps that do not depend on the size of the
// board: a segment of the table is split (16 KiB, some 30 µs, once for about a thousand new users), 256 leaves are allocated (330 KiB), eight ids are moved out of
// a sparse chunk; beyond 4 MiB all but ids come from regions of 2 MiB, which the kernel may have to clear at once (some 100 µs, once for about 35,000 new users). The exception is the table's directory, which is copied when the board has doubled: 24 bytes for about 1,200 users, some
// ten microseconds at ten million.
//
// Tried, measured at a million members, and left out: nodes of 32 instead of 64 (no faster, more memory). Descending for a batch level by level instead of one by one made no difference either, and
// is as simple.
//
// An Index is not safe for concurrent use. Users in rows and entries are strings into the arena, whose bytes never change: they stay valid
// after the lock is released and after the user is gone, and keep 64 KiB from being collected as long as they are held.
//
// # Boards
//
// Guarantees, each of a board that Open returned:
//
//   - It is whole. A board that is loading is never shown.
//   - Own writes are seen: once ApplyOwn has returned, and forever after, a board has that commit or a later one for each of its users,
//     also where the board was loaded only afterwards, and although the stream still has older commits of others to deliver.
//   - A user's write to a board appears at once, those of one commit together in groups of 32, and the board's revision moves with the
//     last of them: who has read a part of a commit has an older revision, and reads again. All boards have a commit
//     before Boards.Revision covers it and WaitFor answers. Different boards of a commit can be read before and after it.
//   - What one View reads, and what one Find finds, is of one moment.
//   - Everything that Boards.Revision covered before a View is in what the View shows.
//   - Changes of others appear in stream order per partition; between partitions there is no order.
//   - Where history is lost (a gap or a foreign predecessor in the stream, entries trimmed before they were read, another epoch, a stream
//     that ends before what was applied, an own commit that the stream does not have) all boards are dropped, OnReset is told, and
//     boards are loaded again when next opened. Until the loss is noticed (on the next entry, on the follower's reconnection, or within a
//     read of a second) boards show the lost commits. Where commits are gone, not merely trimmed, Renew ends the epoch.
//   - When the store is away, boards in memory go on answering with what they have; Ready says so.
//
// Nothing here is authoritative: a crash loses no data.
//
// Bounds: MaxBoards boards, dropped when idle; past it, of 64 boards the one that went unasked the longest is dropped. A follower reads 512 changes at a time
// and waits 50 ms to 5 s between attempts; 4 loads at a time; the book of own writes has at most 131,072 per partition, past which own changes
// come by the stream like others'. The users touched during a load are remembered until it ends. The stream's copy of an own change is skipped whole, unless
// changes that this node did not know lay before it: only then are users booked one by one.
//
// # Who waits for whom
//
// Boards and Board are safe for concurrent use. Readers share a board's lock with one writer at a time. A writer holds it for 32 writes: some 30 µs
// at a million members, and twice that where the index grows. A reader holds it for as long as its View runs: a page of 1,000 rows takes some 30 to
// 70 µs (a consistent page needs one lock; Board.Find, which looks for as many users at random, takes it for 128 at a time). So a read waits for at most one group of
// writes and the pages that were being read before that. However large a commit is, readers of Revision, AsOf and Ready take no
// lock, Open of a board in memory takes one that is never held for more than a walk over 256 boards, and WaitFor one that is held for some hundred nanoseconds.
// Appliers of one partition wait for each other's whole changes.
//
// OnChange and OnReset are called without a lock, from the
// follower of the partition, and delay it. The goroutines of Run are one follower a partition, 4 loaders and one that drops idle boards; Run waits
// for all of them.
package ranking
