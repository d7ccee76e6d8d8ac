package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// FsyncPolicy says when the embedded store forces its file to disk.
type FsyncPolicy string

// The policies.
const (
	FsyncAlways   FsyncPolicy = "always" // before a commit is acknowledged
	FsyncEverySec FsyncPolicy = "everysec"
	FsyncNo       FsyncPolicy = "no" // when the operating system likes
)

// Options say where the store is. The zero value is an embedded store in the working directory, with one partition and an fsync a commit.
type Options struct {
	URL          string           // "" = embedded; else redis://, rediss://, unix://, or redis-cluster:// and rediss-cluster:// with host:port,host:port
	DataDir      string           // embedded: where appendonly.aof lives; "" = the working directory. Locked against a second process
	Fsync        FsyncPolicy      // embedded; "" = always
	Partitions   int              // 0 = what the deployment was created with, 1 for a new one, 16 on a cluster; another number than the stored one is an error
	Replicas     int              // how many replicas each commit waits for, at most a second; 0: none. Result.Durability says whether they have it
	ChangesBytes int64            // limit of each change stream, roughly; 0 = 64 MiB, embedded 16 MiB
	ChangesAge   time.Duration    // and how old its entries become; 0 = 30 min
	Existing     bool             // ErrNothingStored for a store that nobody has used yet, instead of making a deployment of it
	Log          zerolog.Logger   // the zero value writes nowhere
	Clock        func() time.Time // embedded: for the ids of stream entries; nil = time.Now
}

// Limits of the change streams.
const (
	defaultChangesBytes  = 64 << 20
	embeddedChangesBytes = 16 << 20
	defaultChangesAge    = 30 * time.Minute
)

// format is the version of the layout of keys and values that this code reads and writes.
const format = "1"

// Fields of a partition's meta hash. metaSum is only in the embedded store's file.
const (
	metaEpoch      = "epoch"
	metaPartitions = "partitions"
	metaFormat     = "format"
	metaLast       = "last"
	metaSum        = "sum"
	metaEvents     = "events" // where what the outbox has of events begins, if some were taken out of it
	metaLost       = "lost:"  // and an epoch: the one that came after it
)

// driver is what differs between a Redis server and the embedded one.
type driver interface {
	// commit makes the commit, with tries of its own.
	commit(ctx context.Context, c *prepared) (answer, error)
	// entryOf finds the change entry that an earlier try at c made.
	entryOf(ctx context.Context, c *prepared) (id, prev feed.Position, err error)
	// changes waits at most block for entries after a position. epoch is the one that the position belongs to.
	changes(ctx context.Context, p Partition, epoch string, after feed.Position, limit int, block time.Duration) ([]entry, error)
	// stream gives at most limit entries of a stream after a position, oldest first. An error of yield ends it and is returned as it is.
	stream(ctx context.Context, k Key, after feed.Position, limit int, yield func(streamEntry) error) error
	// board gives every member that is on the board throughout the call, maybe more than once.
	board(ctx context.Context, k Key, ascending bool, yield func(member string, score float64) error) error
	// hashes gives at most readPage whole hashes, an empty map for one that is not there.
	hashes(ctx context.Context, keys []Key) ([]map[string]string, error)
	// create writes those fields of a hash that it does not have.
	create(ctx context.Context, k Key, fields map[string]string) error
	durability(ctx context.Context) Durability
	// scan is one page of a walk over the keys of a partition that match a pattern, like SCAN.
	scan(ctx context.Context, p Partition, cursor uint64, match string, count int64) (keys []string, next uint64, err error)
	// walk gives all keys of all servers that match a pattern, each at least once.
	walk(ctx context.Context, partitions int, match string, count int64, yield func(keys []string) error) error
	// trim removes change entries older than age, and what is left of users who were deleted before.
	trim(ctx context.Context, partitions int, age time.Duration) error
	run(ctx context.Context) error
	close() error
}

// Store is the keeper of all state. It is safe for concurrent use.
type Store struct {
	driver     driver
	client     redis.UniversalClient
	versions   *versions
	partitions int
	epochs     []atomic.Pointer[string] // as Epoch gave them last, by partition
	age        time.Duration            // of change entries
	log        zerolog.Logger
	closing    sync.Once
	closeErr   error
}

// Open connects to a server, or starts the embedded one and replays its file. A new deployment gets its epoch, format and number of
// partitions. The caller must Close it, and should Run it.
//
// Errors: ErrUnavailable if there is no answer; others name what is wrong (a second process in the data directory, a corrupt file with its offset,
// another number of partitions, a format that this version does not know).
func Open(ctx context.Context, o Options) (*Store, error) {
	v, err := newVersions()
	if err != nil {
		return nil, err
	}
	s := &Store{versions: v, age: o.ChangesAge, log: o.Log}
	if s.age <= 0 {
		s.age = defaultChangesAge
	}
	if o.Existing {
		if err := o.exists(); err != nil {
			return nil, err
		}
	}
	if o.URL == "" {
		e, err := openEmbedded(o)
		if err != nil {
			return nil, err
		}
		s.driver, s.client = e, e.client
	} else if IsCluster(o.URL) {
		c, err := openCluster(o)
		if err != nil {
			return nil, err
		}
		s.driver, s.client = c, c.client
	} else {
		r, err := openRemote(o)
		if err != nil {
			return nil, err
		}
		s.driver, s.client = r, r.client
	}
	if o.Existing {
		err = s.mustExist(ctx)
	}
	if err == nil {
		err = s.enter(ctx, o.Partitions, o.newPartitions())
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// newPartitions is how many partitions a new deployment gets.
func (o *Options) newPartitions() int {
	switch {
	case o.Partitions > 0:
		return o.Partitions
	case IsCluster(o.URL):
		return clusterPartitions
	}
	return 1
}

// enter makes sure that the deployment exists and is one that we can work on. A new one gets so many partitions.
func (s *Store) enter(ctx context.Context, want, partitions int) error {
	if want < 0 {
		return fmt.Errorf("open store: %d partitions", want)
	}
	stored, err := s.meta(ctx, 0, partitions)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if f := stored[metaFormat]; f != format {
		return fmt.Errorf("open store: the data has format %q, this version of Laurel reads %q", f, format)
	}
	s.partitions, err = strconv.Atoi(stored[metaPartitions])
	if err != nil || s.partitions < 1 {
		return fmt.Errorf("open store: %q is not a number of partitions", stored[metaPartitions])
	}
	if want != 0 && want != s.partitions {
		return fmt.Errorf("open store: %d partitions asked for, but the deployment was created with %d, which cannot be changed", want, s.partitions)
	}
	s.epochs = make([]atomic.Pointer[string], s.partitions)
	for p := 1; p < s.partitions; p++ {
		if _, err := s.meta(ctx, Partition(p), s.partitions); err != nil {
			return fmt.Errorf("open store: %w", err)
		}
	}
	return nil
}

// meta gives the partition's meta hash, and creates what is missing of it. Several nodes may do so at once: the first one's fields stay.
func (s *Store) meta(ctx context.Context, p Partition, partitions int) (map[string]string, error) {
	stored, err := s.Hash(ctx, MetaKey(p))
	if err != nil || stored[metaEpoch] != "" && stored[metaPartitions] != "" && stored[metaFormat] != "" {
		return stored, err
	}
	fields := map[string]string{
		metaEpoch:      string(s.versions.next() + s.versions.next()),
		metaPartitions: strconv.Itoa(partitions),
		metaFormat:     format,
	}
	maps.DeleteFunc(fields, func(f, _ string) bool { return stored[f] != "" })
	if err := s.driver.create(ctx, MetaKey(p), fields); err != nil {
		return nil, err
	}
	return s.Hash(ctx, MetaKey(p))
}

// Run does the store's background work (old change entries go; the embedded file's fsync each second and its rewrite) until ctx ends. It returns early, with
// an error, when the embedded store can write no more: the process should then stop.
func (s *Store) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var trimming sync.WaitGroup
	defer trimming.Wait()
	defer cancel()
	trimming.Go(func() { s.trim(ctx) })
	return s.driver.run(ctx)
}

// Close releases everything, after a last fsync of the embedded file. Run must have returned. Later calls do nothing and give the first one's error.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closeErr = s.driver.close() })
	return s.closeErr
}

// Partitions is how many partitions the deployment has.
func (s *Store) Partitions() int { return s.partitions }

// PartitionOf is where a user lives: xxhash64 of org, a zero byte and user, modulo the number of partitions.
func (s *Store) PartitionOf(org activity.Org, user activity.User) Partition {
	if s.partitions == 1 {
		return 0
	}
	var b [256]byte
	key := append(append(append(b[:0], org...), 0), user...)
	return Partition(xxhash.Sum64(key) % uint64(s.partitions))
}

// PartitionOfValue is where the claim of a value lives: values are spread like users.
func (s *Store) PartitionOfValue(org activity.Org, field, value string) Partition {
	return s.PartitionOf(org, activity.User(field+":"+value))
}

// Client is the connection to the server, for the doctor and for benchmarks only. Writing through it breaks what this package promises. With
// the embedded store it goes through a pipe without a buffer: a pipeline of more than about 4 KiB blocks for ever.
func (s *Store) Client() redis.UniversalClient { return s.client }

// Durability is what an acknowledged commit has survived to, as the server's own configuration says (read at most once a second). What cannot be
// read counts as memory.
func (s *Store) Durability(ctx context.Context) Durability { return s.driver.durability(ctx) }

// unavailable marks an error of the connection.
func unavailable(what string, err error) error {
	return fmt.Errorf("%s: %w: %w", what, ErrUnavailable, err)
}
