package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// readPage is how many keys or fields one read asks for.
const readPage = 1000

// Epoch names the history that the partition's positions belong to. It is random, and read from the store each time; a server that lost everything
// gets a new one. A server that holds another number of partitions now, or another format, is one that this Store cannot work on: a plain error.
func (s *Store) Epoch(ctx context.Context, p Partition) (string, error) {
	if err := s.checkPartition(p); err != nil {
		return "", err
	}
	m, err := s.meta(ctx, p, s.partitions)
	if err != nil {
		return "", err
	}
	if m[metaFormat] != format || m[metaPartitions] != strconv.Itoa(s.partitions) {
		return "", fmt.Errorf("partition %d holds format %q with %q partitions, where it was %q with %d when this process connected: start it again",
			p, m[metaFormat], m[metaPartitions], format, s.partitions)
	}
	epoch := m[metaEpoch]
	s.epochs[p].Store(&epoch)
	return epoch, nil
}

// Renew gives the partition another epoch where it still has this one: the history that it named was found to have lost commits, so nobody may take a
// position in it for one in what is there now. Of several nodes that find out, one does it.
func (s *Store) Renew(ctx context.Context, p Partition, epoch string) error {
	next := string(s.versions.next() + s.versions.next())
	mark := metaLost + epoch
	group := Group{AbsentIn: MetaKey(p), Absent: []string{mark}, Writes: []Op{{Kind: OpHSet, Key: MetaKey(p), Args: []string{metaEpoch, next, mark, next}}}}
	_, err := s.Commit(ctx, p, []Group{group})
	return err
}

// Docs gives documents in the order of keys, which are of one partition. One that does not exist has no version.
func (s *Store) Docs(ctx context.Context, keys []Key) ([]Doc, error) {
	docs := make([]Doc, 0, len(keys))
	for len(keys) > 0 {
		page := keys[:min(len(keys), readPage)]
		keys = keys[len(page):]
		values, err := s.strings(ctx, page)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			d, err := readDoc(page[i], v)
			if err != nil {
				return nil, err
			}
			docs = append(docs, d)
		}
	}
	return docs, nil
}

// strings gives at most readPage strings as the server does: nil for one that does not exist.
func (s *Store) strings(ctx context.Context, keys []Key) ([]any, error) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = string(k)
	}
	values, err := s.client.MGet(ctx, names...).Result()
	if err != nil && redis.HasErrorPrefix(err, "TRYAGAIN") {
		values, err = oneByOne(ctx, s.client, names)
	}
	if err != nil {
		return nil, unavailable("read strings", err)
	}
	return values, nil
}

// Log gives a user's whole log: activity id → record.
func (s *Store) Log(ctx context.Context, p Partition, org activity.Org, user activity.User) (map[string]string, error) {
	return s.Hash(ctx, LogKey(p, org, user))
}

// LogRecords gives the records of some activities in the order of ids, "" for one that the log does not have.
func (s *Store) LogRecords(ctx context.Context, p Partition, org activity.Org, user activity.User, ids []string) ([]string, error) {
	return s.Fields(ctx, LogKey(p, org, user), ids)
}

// Fields gives the values of some fields of a hash in their order, "" for one that is not there.
func (s *Store) Fields(ctx context.Context, k Key, fields []string) ([]string, error) {
	texts := make([]string, 0, len(fields))
	for len(fields) > 0 {
		page := fields[:min(len(fields), readPage)]
		fields = fields[len(page):]
		values, err := s.client.HMGet(ctx, string(k), page...).Result()
		if err != nil {
			return nil, unavailable("read "+string(k), err)
		}
		for _, v := range values {
			text, _ := v.(string)
			texts = append(texts, text)
		}
	}
	return texts, nil
}

// Hash gives a whole hash (a profile, the API keys); an empty map if there is none.
func (s *Store) Hash(ctx context.Context, k Key) (map[string]string, error) {
	m, err := s.client.HGetAll(ctx, string(k)).Result()
	if err != nil {
		return nil, unavailable("read "+string(k), err)
	}
	return m, nil
}

// Catalogs gives the definitions of every org. Commit keeps a list of the orgs whose catalog it ever wrote, because a scan for the keys would walk every user.
func (s *Store) Catalogs(ctx context.Context) ([]Doc, error) {
	orgs, err := s.client.HKeys(ctx, string(catalogsKey())).Result()
	if err != nil {
		return nil, unavailable("list catalogs", err)
	}
	keys := make([]Key, len(orgs))
	for i, org := range orgs {
		keys[i] = CatalogKey(activity.Org(org))
	}
	docs, err := s.Docs(ctx, keys)
	if err != nil {
		return nil, err
	}
	present := docs[:0]
	for _, d := range docs {
		if d.Version != "" {
			present = append(present, d)
		}
	}
	return present, nil
}

// LoadBoard gives the partition's rows of a board; of a real server in the board's order, which is the one to build an index in. A row that is there
// throughout the call is given; one that is written meanwhile may be given in its old or new form, in both, or not at all: the change stream after
// the Tail that was taken before has it. Embedded, all rows are of one moment, in no order. An error of yield ends it and is returned as it is.
func (s *Store) LoadBoard(ctx context.Context, p Partition, b feed.Board, ascending bool,
	yield func(user activity.User, value int64, reached calendar.Instant) error) error {
	if err := s.checkPartition(p); err != nil {
		return err
	}
	return s.driver.board(ctx, BoardKey(p, b), ascending, func(member string, score float64) error {
		reached, user, err := ParseMember(member, ascending)
		if err != nil {
			return fmt.Errorf("load board %v: %w", b, err)
		}
		return yield(user, int64(score), calendar.Instant(reached))
	})
}

func parseScore(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("score %q is not a number", text)
	}
	return f, nil
}

// Tail is the last entry of the partition's change stream, also if it was trimmed; zero if there never was one.
func (s *Store) Tail(ctx context.Context, p Partition) (feed.Position, error) {
	if err := s.checkPartition(p); err != nil {
		return feed.Position{}, err
	}
	return tail(ctx, s.client, p)
}

func tail(ctx context.Context, client redis.UniversalClient, p Partition) (feed.Position, error) {
	return readTail(client.HGet(ctx, string(MetaKey(p)), metaLast))
}

func readTail(cmd *redis.StringCmd) (feed.Position, error) {
	last, err := cmd.Result()
	if errors.Is(err, redis.Nil) {
		return feed.Position{}, nil
	}
	if err != nil {
		return feed.Position{}, unavailable("read end of changes", err)
	}
	return feed.ParsePosition(last)
}

// Changes gives at most limit changes after a position, oldest first, and waits at most block for the first; nil, nil if none came. It returns
// feed.ErrTrimmed if changes after the position are no longer there, or if the position lies beyond the end or the partition has another epoch than Epoch
// gave last: that history was lost. If the first
// change's Prev is before the position, history was lost too, and the follower must notice. The end of ctx is noticed within a second.
func (s *Store) Changes(ctx context.Context, p Partition, after feed.Position, limit int, block time.Duration) ([]feed.Change, error) {
	if err := s.checkPartition(p); err != nil {
		return nil, err
	}
	epoch := ""
	if known := s.epochs[p].Load(); known != nil {
		epoch = *known
	}
	entries, err := s.driver.changes(ctx, p, epoch, after, max(limit, 1), block)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	changes := make([]feed.Change, len(entries))
	for i := range entries {
		if changes[i], err = entries[i].decode(p); err != nil {
			return nil, err
		}
	}
	if changes[0].Prev.Compare(after) > 0 {
		return nil, feed.ErrTrimmed
	}
	return changes, nil
}

// DueItem is a deadline.
type DueItem struct {
	Member string
	At     calendar.Instant
}

// Due gives at most limit deadlines up to and including until, earliest first.
func (s *Store) Due(ctx context.Context, p Partition, until calendar.Instant, limit int) ([]DueItem, error) {
	return s.DueAfter(ctx, p, until, 0, limit)
}

// DueAfter is Due without the first skip of them.
func (s *Store) DueAfter(ctx context.Context, p Partition, until calendar.Instant, skip, limit int) ([]DueItem, error) {
	if err := s.checkPartition(p); err != nil {
		return nil, err
	}
	items, err := s.client.ZRangeByScoreWithScores(ctx, string(DueKey(p)), &redis.ZRangeBy{
		Min: "-inf", Max: strconv.FormatInt(int64(until), 10), Offset: int64(skip), Count: int64(max(limit, 1)),
	}).Result()
	if err != nil {
		return nil, unavailable("read deadlines", err)
	}
	due := make([]DueItem, len(items))
	for i, z := range items {
		member, _ := z.Member.(string)
		due[i] = DueItem{Member: member, At: calendar.Instant(z.Score)}
	}
	return due, nil
}

// Ping asks the server for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.client.Ping(ctx).Err(); err != nil {
		return unavailable("ping", err)
	}
	return nil
}
