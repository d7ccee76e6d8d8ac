package store

import (
	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Version is the first 8 bytes of a versioned document: 48 random bits, drawn once a commit, as 8 printable characters.
// It is never a counter: a store that lost history cannot come to the same version again. "" stands for "does not exist".
type Version string

// VersionLen is the length of a Version in bytes.
const VersionLen = 8

// Doc is a versioned document: a string key that holds Version + content.
type Doc struct {
	Key     Key
	Version Version // "" for a document that does not exist
	Content []byte
}

// Group is one user's (or one definition's) checks and writes. It applies whole or not at all; groups of one commit are independent of
// each other. All keys are of the commit's partition.
type Group struct {
	Org activity.Org
	// User is set where the group changes a user's state; followers are then told the new version.
	User activity.User
	// Fence, when not "", is the version that the org's fence document must have.
	Fence Version
	// Doc is the document that guards the group: it must have the version Expect ("" = must not exist); then it gets the commit's version and
	// Content. A zero Doc.Key means: no guard.
	Doc     Key
	Expect  Version
	Content []byte
	// Delete removes Doc instead of writing it; with a User, whose document it is, there is no such user any more. Content is then empty.
	Delete bool
	// Absent fields must not exist in the hash AbsentIn (duplicate detection in a user's log). Where the group has a Doc, other groups of the commit leave
	// the hash alone: check and write of a record may be one.
	AbsentIn Key
	Absent   []string
	// Writes are applied in order, before the document.
	Writes []Op
	Boards []BoardWrite
	// Events are what becomes true for User with the group, in order: JSON objects with members, in one line each. They are appended to the partition's outbox, and followers
	// are told of them. The group needs a User and a Doc, as a lost reply would repeat them else, and is no deletion.
	Events [][]byte
	// Drops are boards that are removed with all their rows. No group of the commit may write them.
	Drops []feed.Board
	// ProfileChanged tells followers that the display data of User changed.
	ProfileChanged bool
	// OrgChanged tells followers that definitions or the fence of Org changed.
	OrgChanged bool
}

// BoardWrite replaces one user's member on a board. Order tells how the time is put into the member.
type BoardWrite struct {
	Board feed.Board
	User  activity.User
	// Old is the user's standing before, nil if none: the member that is removed.
	Old *Standing
	// New is the user's standing from now on, nil for none.
	New *Standing
	// Ascending boards rank the smallest value first.
	Ascending bool
}

// Standing is a user's value on a board and when it was reached (ms since the epoch).
type Standing struct {
	Value   int64
	Reached int64
}

// OpKind is a plain write.
type OpKind uint8

// The plain writes. Nothing here reads, so a group's effect does not depend on what it finds.
const (
	OpSet    OpKind = iota + 1 // SET key args[0]
	OpDel                      // UNLINK key
	OpHSet                     // HSET key args… (field, value pairs)
	OpHDel                     // HDEL key args…
	OpZAdd                     // ZADD key args… (score, member pairs)
	OpZRem                     // ZREM key args…
	OpAppend                   // XADD key [MAXLEN ~ Op.Keep] * args… (field, value pairs)
	OpXDel                     // XDEL key args… (ids of entries)
	opEvents                   // a group's events, as Commit puts them into the outbox: org, user, bodies
)

// Op is one plain write.
type Op struct {
	Kind OpKind
	Key  Key
	Args []string
	// Keep is, for OpAppend, how many entries the stream keeps, roughly, the new one included; 0: all.
	Keep int
}

// Status is what became of a group.
type Status uint8

const (
	// Applied: the group's checks held and its writes are done.
	Applied Status = iota + 1
	// Stale: the guarding document has another version; Outcome.Doc is what is there now.
	Stale
	// Exists: fields of Absent exist; Outcome.Found has them.
	Exists
	// Fenced: the org's fence has another version; Outcome.Doc is the fence as it is now.
	Fenced
)

// Outcome is what became of one group.
type Outcome struct {
	Status Status
	Doc    Doc
	Found  map[string]string
}

// Result is what became of a commit.
type Result struct {
	// Version is the version that the documents of applied groups have now.
	Version Version
	// Position is the commit's entry in the change stream; zero if no group applied.
	Position feed.Position
	// Change is the commit as followers will see it (applied groups only).
	Change     feed.Change
	Outcomes   []Outcome // one a group, in order
	Durability Durability
}

// Durability is what an acknowledged write has survived to.
type Durability string

// The levels, weakest first.
const (
	Memory     Durability = "memory"
	EverySec   Durability = "everysec"
	Fsync      Durability = "fsync"
	Replicated Durability = "replicated"
)
