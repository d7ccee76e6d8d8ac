// Package feed defines what a commit changed, as those who follow the store see it: the common language of the store that
// writes it and of the indexes, caches and views that follow. It holds types only.
package feed

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Position is a place in a partition's change stream: the id of a Redis stream entry. The zero value is the stream's beginning.
type Position struct {
	Ms, Seq uint64
}

// Compare orders positions: negative where p is earlier than q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Ms, q.Ms), cmp.Compare(p.Seq, q.Seq))
}

// String is the id as Redis writes it: "1526919030474-55".
func (p Position) String() string {
	return strconv.FormatUint(p.Ms, 10) + "-" + strconv.FormatUint(p.Seq, 10)
}

// ParsePosition is the inverse of String.
func ParsePosition(s string) (Position, error) {
	ms, seq, ok := strings.Cut(s, "-")
	m, err := strconv.ParseUint(ms, 10, 64)
	n, err2 := strconv.ParseUint(seq, 10, 64)
	if !ok || err != nil || err2 != nil {
		return Position{}, fmt.Errorf("stream position %q is not of the form ms-seq", s)
	}
	return Position{Ms: m, Seq: n}, nil
}

// Everyone is the rule of the board that is no leaderboard: the list of an org's users. No rule has such an id.
const Everyone = "@users"

// Board names a leaderboard: the users ranked by one rule in one period.
type Board struct {
	Org   activity.Org
	Rule  string // a rule's id, or "<streak>.current", "<streak>.longest"
	Label string // the period's label
}

// Write is the absolute state of one user on one board after a commit.
type Write struct {
	Board   Board
	User    activity.User
	Removed bool // the user is no longer on the board; Value and Reached are then 0
	Value   int64
	Reached calendar.Instant
}

// UserVersion says that a commit gave a user's state this version.
type UserVersion struct {
	Org     activity.Org
	User    activity.User
	Version string // "": the user was deleted
}

// UserKey names a user.
type UserKey struct {
	Org  activity.Org
	User activity.User
}

// Event is something that became true for a user: a JSON object with at least the members type and user.
type Event struct {
	Org  activity.Org
	User activity.User
	Body []byte
}

// Change is one commit as followers see it. All its board writes belong to one revision.
type Change struct {
	Partition int
	ID        Position
	// Prev is the entry before this one. A follower whose last applied entry is another one has lost history.
	Prev   Position
	Users  []UserVersion
	Writes []Write
	// Dropped are boards that are removed for good, with all that the partition has of them. None of them is in Writes.
	Dropped []Board
	// Profiles are the users whose display data changed.
	Profiles []UserKey
	// Events are what became true for users with the commit, in order.
	Events []Event
	// Orgs whose definitions or fence changed; followers reload them.
	Orgs []activity.Org
}

// ErrTrimmed says that entries after the asked position are no longer in the stream (or belong to another history): the follower drops what it derived and
// loads again.
var ErrTrimmed = errors.New("change stream no longer holds the position")
