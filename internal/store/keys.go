package store

import (
	"fmt"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Key is a Redis key. Keys are made in this file and nowhere else.
type Key string

// Partition is one of the deployment's partitions: 0 ≤ p < Store.Partitions(). All keys of a partition share the hash tag {p}, so that
// one script may touch them on a cluster.
type Partition int

// catalogPrefix begins every catalog document's key. Orgs have no colon, so the rest of the key is the org.
const catalogPrefix = "{0}:catalog:"

func (p Partition) tag() string { return "{" + strconv.Itoa(int(p)) + "}:" }

func (p Partition) user(kind string, org activity.Org, user activity.User) Key {
	return Key(p.tag() + kind + ":" + string(org) + ":" + string(user))
}

// StateKey is the document of a user's progress. A user id may hold colons: it comes last, and orgs hold none.
func StateKey(p Partition, org activity.Org, user activity.User) Key { return p.user("u", org, user) }

// ColdKey is the string of a user's state outside the late window.
func ColdKey(p Partition, org activity.Org, user activity.User) Key { return p.user("c", org, user) }

// ProfileKey is the hash of a user's profile.
func ProfileKey(p Partition, org activity.Org, user activity.User) Key { return p.user("p", org, user) }

// LogKey is the hash of a user's activities: id → record.
func LogKey(p Partition, org activity.Org, user activity.User) Key { return p.user("l", org, user) }

// ClaimKey is the document that says whose a value is which one user of an org has at most. Fields have no colon.
func ClaimKey(p Partition, org activity.Org, field, value string) Key {
	return Key(p.tag() + "x:" + string(org) + ":" + field + ":" + value)
}

// MergedKey is the hash of the users who were merged into a user, or are about to be.
func MergedKey(p Partition, org activity.Org, user activity.User) Key { return p.user("m", org, user) }

// GrantsKey is the hash of the rewards that a user was given: grant id → record.
func GrantsKey(p Partition, org activity.Org, user activity.User) Key { return p.user("g", org, user) }

// StockKey is the document of how much of a limited reward is held. It lives where the value does (PartitionOfValue).
func StockKey(p Partition, org activity.Org, reward string) Key {
	return Key(p.tag() + "s:" + string(org) + ":" + reward)
}

// HoldsKey is the hash of the holds that a reward's stock counts: hold → pieces. It lives beside the stock.
func HoldsKey(p Partition, org activity.Org, reward string) Key {
	return Key(p.tag() + "h:" + string(org) + ":" + reward)
}

// BoardKey is the sorted set of a leaderboard's users that belong to the partition.
func BoardKey(p Partition, b feed.Board) Key {
	if b.Rule == feed.Everyone {
		return Key(p.tag() + "d:" + string(b.Org)) // apart, so that who looks through leaderboards does not meet it
	}
	return Key(p.tag() + "b:" + string(b.Org) + ":" + b.Rule + ":" + b.Label)
}

// FenceKey is the document that every commit of the org checks.
func FenceKey(p Partition, org activity.Org) Key { return Key(p.tag() + "f:" + string(org)) }

// DueKey is the sorted set of deadlines: score = ms since the epoch.
func DueKey(p Partition) Key { return Key(p.tag() + "due") }

// ChangesKey is the change stream.
func ChangesKey(p Partition) Key { return Key(p.tag() + "changes") }

// TransfersKey is the stream of effects on other users.
func TransfersKey(p Partition) Key { return Key(p.tag() + "transfers") }

// OutboxKey is the stream of events.
func OutboxKey(p Partition) Key { return Key(p.tag() + "outbox") }

// MetaKey is the hash of the partition's epoch, partition count, format and last change.
func MetaKey(p Partition) Key { return Key(p.tag() + "meta") }

// CatalogKey is the document of an org's definitions. It lives in partition 0.
func CatalogKey(org activity.Org) Key { return Key(catalogPrefix + string(org)) }

// KeysKey is the hash of API keys. It lives in partition 0.
func KeysKey() Key { return "{0}:keys" }

// SecretsKey is the hash of the deployment's own secrets, by name. It lives in partition 0.
func SecretsKey() Key { return "{0}:secrets" }

// catalogsKey is the hash whose fields are the orgs that ever had a catalog: the list behind Store.Catalogs. Commit keeps it.
func catalogsKey() Key { return "{0}:catalogs" }

// wholeKey never exists. On a cluster every commit names it: while the partition's slot moves from one server to another, no server runs a script that names
// keys which it does not have. So none runs that could find its keys gone half-way, as a sorted set is that lost its last member.
func wholeKey(p Partition) Key { return Key(p.tag() + "whole") }

// Members begin with the time in 8 characters of 6 bits, from an alphabet in ascending byte order, so that the members of one
// score sort by time.
const (
	memberAlphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
	memberTime     = 8
	maxReached     = int64(1)<<(6*memberTime) - 1
)

// Member is the sorted-set member of a user's standing: the time it was reached in 8 sortable printable characters, then the user id. Reached
// is clamped to [0, 2^48-1] ms, the years 1970 to 10889.
//
// A board is read from its better end: ZRANGE where ascending, ZREVRANGE else. For the latter the time is inverted, so that in both
// the first to reach a value comes first. At an equal value and an equal millisecond ZRANGE lists users in ascending byte order, as the index
// does, and ZREVRANGE in descending byte order: the one place where Redis's order differs. The index decides.
func Member(s Standing, ascending bool, user activity.User) string {
	var b [memberTime + 128]byte
	return string(appendMember(b[:0], s, ascending, user))
}

func appendMember(b []byte, s Standing, ascending bool, user activity.User) []byte {
	at := min(max(s.Reached, 0), maxReached)
	if !ascending {
		at = maxReached - at
	}
	for shift := 6 * (memberTime - 1); shift >= 0; shift -= 6 {
		b = append(b, memberAlphabet[at>>shift&63])
	}
	return append(b, user...)
}

// ParseMember is the inverse of Member.
func ParseMember(member string, ascending bool) (reached int64, user activity.User, err error) {
	if len(member) <= memberTime {
		return 0, "", fmt.Errorf("board member %q is shorter than a time and a user", member)
	}
	for i := range memberTime {
		digit := strings.IndexByte(memberAlphabet, member[i])
		if digit < 0 {
			return 0, "", fmt.Errorf("board member %q does not begin with a time", member)
		}
		reached = reached<<6 | int64(digit)
	}
	if !ascending {
		reached = maxReached - reached
	}
	return reached, activity.User(member[memberTime:]), nil
}

// ImportKey is the document of an import of history, or of a job.
func ImportKey(org activity.Org, id string) Key { return Key("{0}:i:" + string(org) + ":" + id) }

// ImportPartKey is the string of a part of the rows of a job that is under way.
func ImportPartKey(org activity.Org, id string, part int) Key {
	return Key("{0}:j:" + string(org) + ":" + id + ":" + strconv.Itoa(part))
}

// JobsKey is the hash of jobs (imports of users, activities whose sender does not wait) that are under way: org and id → when they came, in ms.
func JobsKey() Key { return "{0}:jobs" }

// EndedKey is the sorted set of jobs that have ended and can be looked at: score = when they go, in ms.
func EndedKey() Key { return "{0}:ended" }

// changesPartition is the partition whose change stream has this key.
func changesPartition(k Key) (Partition, bool) {
	text, ok := strings.CutPrefix(string(k), "{")
	if !ok {
		return 0, false
	}
	n, ok := strings.CutSuffix(text, "}:changes")
	if !ok {
		return 0, false
	}
	p, err := strconv.Atoi(n)
	return Partition(p), err == nil
}

// ClosedKey is the document that says which periods of the org were closed with an event, and of which the boards were dropped.
func ClosedKey(org activity.Org) Key { return Key("{0}:closed:" + string(org)) }

// BackfillKey is the document that names the definitions which every user's state of the org follows.
func BackfillKey(org activity.Org) Key { return Key("{0}:filled:" + string(org)) }

// SegmentsKey is the document of the values that the users' attributes have had: the org's segments.
func SegmentsKey(org activity.Org) Key { return Key("{0}:segments:" + string(org)) }

// HooksKey is the hash of what webhooks and hooks of an org need beside their definitions: secrets by hint, and from where on a webhook's events are sent. It
// lives in partition 0, and is written with the catalog.
func HooksKey(org activity.Org) Key { return Key("{0}:hooks:" + string(org)) }

// WebhookKey is the document of how far a webhook's events were sent, and by which node.
func WebhookKey(org activity.Org, id string) Key {
	return Key("{0}:w:" + string(org) + ":" + id)
}
