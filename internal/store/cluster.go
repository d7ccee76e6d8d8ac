package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/feed"
)

const (
	// clusterPartitions is how many partitions a new deployment on a cluster gets. Their slots are those of the tags {0} to {15}: of three masters with
	// an even share of the slots they give 6, 6 and 4.
	clusterPartitions = 16
	// clusterTimeout bounds a read or write of one server: shorter than that of a lone one, because another one may have taken its place.
	clusterTimeout = 3 * time.Second
	// clusterRedirects is how often the library follows a redirection, or repeats a read. It never repeats a commit.
	clusterRedirects = 3
	// clusterIdle is after how long a connection that nobody needs goes: bursts make more than there are in use.
	clusterIdle = time.Minute
	// clusterReload is how old the library's map of slots becomes without anything that says it is wrong.
	clusterReload = 5 * time.Second
)

// IsCluster says whether a URL is that of a cluster.
func IsCluster(url string) bool {
	return strings.HasPrefix(url, "redis-cluster://") || strings.HasPrefix(url, "rediss-cluster://")
}

// cluster is the driver for a Redis or Valkey cluster. A partition is in one slot, so that every commit is a script on one server, and everything that a
// lone server does for all partitions one of these does for its own.
//
// Commits go to the server that the map of slots names, by this package and once a try. An error that says that the server did not run the script (it no
// longer has the slot, or not all of it, or is no master, or loads its data) leads to another try with a new map, and so does silence: the commit's
// version tells whether it was done. Reads go through the library, which repeats them and follows redirections.
type cluster struct {
	*remote
	client *redis.ClusterClient
	tails  tails
}

// clusterOptions understands the address of a cluster: scheme://[user:password@]host:port,host:port[?parameters].
func clusterOptions(text string) (*redis.ClusterOptions, error) {
	scheme, rest, _ := strings.Cut(text, "-cluster://")
	rest, query, _ := strings.Cut(rest, "?")
	user := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, rest = rest[:at+1], rest[at+1:]
	}
	hosts := strings.Split(strings.TrimSuffix(rest, "/"), ",")
	for _, h := range hosts {
		if h == "" {
			return nil, errors.New("--redis: a host of the cluster is empty")
		}
	}
	for _, h := range hosts[1:] {
		query += "&addr=" + url.QueryEscape(h)
	}
	o, err := redis.ParseClusterURL(scheme + "://" + user + hosts[0] + "?" + strings.TrimPrefix(query, "&"))
	if err != nil {
		return nil, fmt.Errorf("--redis: %w", err)
	}
	return o, nil
}

// ClusterOptions are the settings of the Redis client library for the address of a cluster, redis-cluster://host:port,host:port or rediss-cluster://….
func ClusterOptions(url string) (*redis.ClusterOptions, error) {
	opts, err := clusterOptions(url)
	if err != nil {
		return nil, err
	}
	opts.MaxRetries = -1
	opts.MaxRedirects = clusterRedirects
	opts.MinRetryBackoff, opts.MaxRetryBackoff = 10*time.Millisecond, 250*time.Millisecond
	opts.DialerRetries = 1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = dialTimeout, clusterTimeout, clusterTimeout
	opts.ContextTimeoutEnabled = true
	opts.PoolSize = poolSize // of each server
	opts.ConnMaxIdleTime = clusterIdle
	opts.Protocol = 2
	opts.DisableIdentity = true
	opts.DisableRoutingPolicies = true // they spread commands without a key over the servers; we say which one is meant
	opts.ClusterStateReloadInterval = clusterReload
	return opts, nil
}

func openCluster(o Options) (*cluster, error) {
	opts, err := ClusterOptions(o.URL)
	if err != nil {
		return nil, err
	}
	client := redis.NewClusterClient(opts)
	c := &cluster{remote: newRemote(client, o), client: client}
	c.remote.server = c.master
	c.more = func(p Partition) []string { return []string{string(wholeKey(p))} }
	c.tails = tails{cluster: c, served: map[Partition]*redis.Client{}, desks: map[*redis.Client]*desk{}}
	return c, nil
}

// master is the server that has a partition, as the map of slots says. It is the same client as long as the server is known by the same address.
func (c *cluster) master(ctx context.Context, p Partition) (*redis.Client, error) {
	return c.client.MasterForKey(ctx, string(MetaKey(p)))
}

// commit has the map of slots read again where a try failed: whoever was asked may not be the one to ask.
func (c *cluster) commit(ctx context.Context, p *prepared) (answer, error) {
	a, err := c.remote.commit(ctx, p)
	if err != nil && !errors.Is(err, ErrVerify) {
		c.client.ReloadState(ctx)
	}
	return a, err
}

func (c *cluster) changes(ctx context.Context, p Partition, epoch string, after feed.Position, limit int, block time.Duration) ([]entry, error) {
	return c.tails.wait(ctx, &glance{p: p, epoch: epoch, after: after, limit: limit, until: time.Now().Add(block), fresh: true, done: make(chan struct{})})
}

// durability is the weakest of the servers that answer. One that does not answer commits nothing either.
func (c *cluster) durability(ctx context.Context) Durability {
	return c.level.get(func() Durability {
		var mu sync.Mutex
		var found []Durability
		_ = c.client.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
			level := serverLevel(ctx, server)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, level)
			return nil
		})
		return weakest(found)
	})
}

// weakest is the weakest of some durabilities, Memory of none.
func weakest(levels []Durability) Durability {
	if len(levels) == 0 {
		return Memory
	}
	return slices.MinFunc(levels, Durability.Compare)
}

// trim goes by each server's own clock, as its ids do. One that does not answer is left for the next time.
func (c *cluster) trim(ctx context.Context, partitions int, age time.Duration) (err error) {
	for p := range Partition(partitions) {
		server, failed := c.master(ctx, p)
		if failed == nil {
			failed = trimChanges(ctx, server, p, age)
		}
		err = cmp.Or(err, failed)
	}
	return err
}

// A cursor of a walk names in its upper bits the server that it is of: each server has an order of its own.
const (
	cursorBits = 54
	cursorMask = 1<<cursorBits - 1
)

func serverMark(server *redis.Client) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(server.Options().Addr))
	return h.Sum64() >> cursorBits << cursorBits
}

// scan walks the server that has the partition. Where another one has it now, the walk begins anew. While the partition is on its way from one to another
// neither has all keys: ErrUnavailable.
func (c *cluster) scan(ctx context.Context, p Partition, cursor uint64, match string, count int64) (keys []string, next uint64, err error) {
	server, err := c.master(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	mark := serverMark(server)
	if cursor&^cursorMask != mark {
		cursor = 0
	}
	pipe := server.Pipeline()
	before := pipe.Exists(ctx, string(MetaKey(p)), string(wholeKey(p))) // refused while keys are missing
	page := pipe.Scan(ctx, cursor&cursorMask, match, count)
	after := pipe.Exists(ctx, string(MetaKey(p)), string(wholeKey(p)))
	_, _ = pipe.Exec(ctx) // each reply has its own error
	keys, next, err = page.Result()
	if err = errors.Join(before.Err(), err, after.Err()); err != nil {
		c.client.ReloadState(ctx)
		return nil, 0, err
	}
	if next != 0 {
		next |= mark
	}
	return keys, next, nil
}

// walk gives the keys of all servers. ErrUnavailable where a partition came to another one meanwhile.
func (c *cluster) walk(ctx context.Context, partitions int, match string, count int64, yield func([]string) error) error {
	before, err := c.whole(ctx, partitions)
	if err != nil {
		return err
	}
	walked := map[*redis.Client]bool{}
	for _, server := range before {
		if walked[server] {
			continue
		}
		walked[server] = true
		if err := walkServer(ctx, server, match, count, yield); err != nil {
			return err
		}
	}
	after, err := c.whole(ctx, partitions)
	if err == nil && !slices.Equal(before, after) {
		err = unavailable("walk keys", errMoved)
	}
	return err
}

// whole gives the server of each partition, if each has all of it.
func (c *cluster) whole(ctx context.Context, partitions int) ([]*redis.Client, error) {
	servers := make([]*redis.Client, partitions)
	for p := range servers {
		server, err := c.master(ctx, Partition(p))
		if err == nil {
			err = server.Exists(ctx, string(MetaKey(Partition(p))), string(wholeKey(Partition(p)))).Err()
		}
		if err != nil {
			c.client.ReloadState(ctx)
			return nil, unavailable("walk keys", err)
		}
		servers[p] = server
	}
	return servers, nil
}

// oneByOne reads strings of a partition that is on its way from one server to another, so that none has them all. Until it has arrived nobody writes, so what
// was read twice with the same result was there at one moment.
func oneByOne(ctx context.Context, client redis.UniversalClient, names []string) (values []any, err error) {
	for range readTwice {
		pipe := client.Pipeline()
		replies := make([]*redis.StringCmd, len(names))
		for i, name := range names {
			replies[i] = pipe.Get(ctx, name)
		}
		_, _ = pipe.Exec(ctx) // each reply has its own error
		again := make([]any, len(names))
		for i, reply := range replies {
			switch text, err := reply.Result(); {
			case err == nil:
				again[i] = text
			case !errors.Is(err, redis.Nil):
				return nil, err
			}
		}
		if values != nil && slices.Equal(values, again) {
			return values, nil
		}
		values = again
	}
	return nil, errMoved
}

// readTwice is how often oneByOne reads until two results agree.
const readTwice = 5

// errMoved says that a partition is at another server than before, or on its way to it.
var errMoved = errors.New("the partition has moved to another server of the cluster")
