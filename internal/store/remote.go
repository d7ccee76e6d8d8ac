package store

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/feed"
)

//go:embed commit.lua
var commitScript string

// Bounds of a connection.
const (
	dialTimeout = 3 * time.Second
	ioTimeout   = 5 * time.Second
	poolSize    = 128 // made as needed; a follower that waits for changes holds one
)

// remote is the driver for a Redis or Valkey server.
type remote struct {
	client redis.UniversalClient
	server func(context.Context, Partition) (*redis.Client, error) // that has a partition
	more   func(Partition) []string                                // keys that are named in every commit beside those that it touches
	sha    string
	sizes  *entrySizes
	level  levelCache
	copies copies
}

func openRemote(o Options) (*remote, error) {
	opts, err := redis.ParseURL(o.URL)
	if err != nil {
		return nil, fmt.Errorf("--redis: %w", err)
	}
	// The library would repeat whole commands whose reply was lost. Commit repeats what may be repeated.
	opts.MaxRetries = -1
	opts.DialerRetries = 1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
	opts.ContextTimeoutEnabled = true
	opts.PoolSize = poolSize
	opts.Protocol = 2 // plain arrays: what the script answers
	opts.DisableIdentity = true
	client := redis.NewClient(opts)
	r := newRemote(client, o)
	r.server = func(context.Context, Partition) (*redis.Client, error) { return client, nil }
	return r, nil
}

// newRemote is what all servers have in common. The caller says which of them has a partition.
func newRemote(client redis.UniversalClient, o Options) *remote {
	sum := sha1.Sum([]byte(commitScript))
	limit := o.ChangesBytes
	if limit <= 0 {
		limit = defaultChangesBytes
	}
	return &remote{client: client, more: func(Partition) []string { return nil }, sha: hex.EncodeToString(sum[:]), sizes: newEntrySizes(limit),
		copies: copies{want: o.Replicas}}
}

func (r *remote) commit(ctx context.Context, c *prepared) (answer, error) {
	l := newLayout(c, r.sizes.maxLen(c))
	l.keys = append(l.keys, r.more(c.p)...)
	var last error
	for try := range commitTries {
		if try > 0 && !pause(ctx, retryPause<<try/2) {
			break
		}
		reply, replicated, err := r.eval(ctx, c.p, l)
		if err == nil {
			a, err := readAnswer(c, reply)
			a.replicated = replicated
			if err == nil && try > 0 {
				err = r.deletedBefore(ctx, c, &a)
			}
			return a, err
		}
		r.level.forget()
		if last = err; stopped(err) {
			return answer{}, fmt.Errorf("%w: %w", ErrVerify, err)
		}
	}
	return answer{}, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(last, ctx.Err()))
}

// eval runs the script by its hash, or by its text where the server does not know it (a new server, SCRIPT FLUSH, a failover).
func (r *remote) eval(ctx context.Context, p Partition, l *layout) (reply any, replicated bool, err error) {
	server, err := r.server(ctx, p)
	if err != nil {
		return nil, false, err
	}
	reply, replicated, err = r.copies.run(ctx, server, l.command("EVALSHA", r.sha))
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, replicated, err = r.copies.run(ctx, server, l.command("EVAL", commitScript))
	}
	return reply, replicated, err
}

// stopped says whether the server ran the script and a command in it failed. Its other errors (loading, read-only, out of memory, busy) come
// before the first write; all that is no answer of the server may have run or not.
func stopped(err error) bool {
	var answered redis.Error
	if !errors.As(err, &answered) {
		return false
	}
	text := err.Error()
	return strings.HasPrefix(text, "WRONGTYPE") || strings.HasPrefix(text, "ERR")
}

// Statuses of the script beside those of Status.
const scriptAlready = 5

// readAnswer reads what the script answered.
func readAnswer(c *prepared, reply any) (answer, error) {
	parts, ok := reply.([]any)
	if !ok || len(parts) < 2 {
		return answer{}, fmt.Errorf("%w: the script answered %T", ErrVerify, reply)
	}
	a := answer{}
	if len(parts) > 2 {
		a.failed = map[int]Outcome{}
	}
	var err error
	if id, applied := parts[0].(string); applied {
		prev, _ := parts[1].(string)
		if a.id, err = feed.ParsePosition(id); err == nil {
			a.prev, err = feed.ParsePosition(prev)
		}
	}
	for _, part := range parts[2:] {
		err = errors.Join(err, a.read(c, part))
	}
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrVerify, err)
	}
	return a, nil
}

func (a *answer) read(c *prepared, part any) error {
	f, ok := part.([]any)
	if !ok || len(f) != 3 {
		return fmt.Errorf("the script answered %v for a group", part)
	}
	n, _ := f[0].(int64)
	status, _ := f[1].(int64)
	i := int(n) - 1
	if i < 0 || i >= len(c.groups) {
		return fmt.Errorf("the script answered for group %d of %d", n, len(c.groups))
	}
	g := &c.groups[i]
	var err error
	o := Outcome{Status: Status(status)}
	switch status {
	case scriptAlready:
		return nil // it counts as applied
	case int64(Stale):
		o.Doc, err = readDoc(g.Doc, f[2])
	case int64(Fenced):
		o.Doc, err = readDoc(FenceKey(c.p, g.Org), f[2])
	case int64(Exists):
		found, _ := f[2].([]any)
		o.Found = make(map[string]string, len(found)/2)
		for j := 0; j+1 < len(found); j += 2 {
			at, _ := found[j].(int64)
			value, _ := found[j+1].(string)
			o.Found[g.Absent[at-1]] = value
		}
	default:
		err = fmt.Errorf("the script answered status %d", status)
	}
	a.failed[i] = o
	return err
}

// readDoc splits a document as the server gives it.
func readDoc(k Key, value any) (Doc, error) {
	if value == nil {
		return Doc{Key: k}, nil
	}
	s, ok := value.(string)
	if !ok || len(s) < VersionLen {
		return Doc{Key: k}, fmt.Errorf("%q does not hold a document", k)
	}
	return Doc{Key: k, Version: Version(s[:VersionLen]), Content: []byte(s[VersionLen:])}, nil
}

// entryPage is how many entries entryOf reads at once.
const entryPage = 100

func (r *remote) entryOf(ctx context.Context, c *prepared) (id, prev feed.Position, err error) {
	e, found, err := r.find(ctx, c)
	if err != nil {
		return id, prev, err
	}
	if !found { // trimmed already; everything up to the last change includes it
		last, err := tail(ctx, r.client, c.p)
		return last, last, err
	}
	prev, err = feed.ParsePosition(e.prev)
	return e.id, prev, err
}

// deletedBefore takes the deletions that an earlier try at c made for what they are. A document that is not there has no version to know them by, but
// the change entry of that try names the user.
func (r *remote) deletedBefore(ctx context.Context, c *prepared, a *answer) error {
	var gone []int
	for i, o := range a.failed {
		if c.groups[i].Delete && o.Status == Stale && o.Doc.Version == "" {
			gone = append(gone, i)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	e, found, err := r.find(ctx, c)
	if err != nil || !found {
		return err
	}
	made, err := e.decode(c.p)
	if err != nil {
		return err
	}
	for _, i := range gone {
		if slices.Contains(made.Users, c.groups[i].userVersion("")) {
			delete(a.failed, i)
		}
	}
	return nil
}

// find looks for the change entry of an earlier try at c.
func (r *remote) find(ctx context.Context, c *prepared) (e entry, found bool, err error) {
	end := "+"
	for {
		page, err := r.client.XRevRangeN(ctx, string(ChangesKey(c.p)), end, "-", entryPage).Result()
		if err != nil {
			return e, false, unavailable("find change", err)
		}
		for i := range page {
			e, err := readEntry(&page[i])
			if err != nil || e.version == string(c.version) {
				return e, err == nil, err
			}
		}
		if len(page) < entryPage {
			return e, false, nil
		}
		end = "(" + page[len(page)-1].ID
	}
}

func (r *remote) create(ctx context.Context, k Key, fields map[string]string) error {
	tx := r.client.TxPipeline() // nobody sees a part of them
	for f, v := range fields {
		tx.HSetNX(ctx, string(k), f, v)
	}
	if _, err := tx.Exec(ctx); err != nil {
		return unavailable("create "+string(k), err)
	}
	return nil
}

// waitSlice bounds one blocking read, because only between two of them can the end of ctx be seen.
const waitSlice = time.Second

func (r *remote) changes(ctx context.Context, p Partition, epoch string, after feed.Position, limit int, block time.Duration) ([]entry, error) {
	entries, err := r.readNow(ctx, p, epoch, after, limit)
	if err != nil || len(entries) > 0 {
		return entries, err
	}
	for deadline := time.Now().Add(block); ; {
		left := min(time.Until(deadline), waitSlice)
		if left < time.Millisecond || ctx.Err() != nil {
			return nil, ctx.Err()
		}
		entries, err := r.read(ctx, p, after, limit, left)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
}

// readNow reads without waiting, in one round trip. feed.ErrTrimmed where there is nothing although after is not the end, and where the epoch is not the
// partition's.
func (r *remote) readNow(ctx context.Context, p Partition, epoch string, after feed.Position, limit int) ([]entry, error) {
	pipe := r.client.Pipeline()
	l := newLook(ctx, pipe, p, after, limit)
	_, _ = pipe.Exec(ctx) // each reply has its own error
	return l.entries(epoch, after)
}

// look is a read of a change stream, and of what tells whether it is still the stream that it was.
type look struct {
	last, epoch *redis.StringCmd
	stream      *redis.XStreamSliceCmd
}

// newLook asks for the end first: what the read then misses between the two is gone from the stream.
func newLook(ctx context.Context, pipe redis.Pipeliner, p Partition, after feed.Position, limit int) look {
	return look{
		last:   pipe.HGet(ctx, string(MetaKey(p)), metaLast),
		epoch:  pipe.HGet(ctx, string(MetaKey(p)), metaEpoch),
		stream: pipe.XRead(ctx, readArgs(p, after, limit, -1)),
	}
}

func (l *look) entries(epoch string, after feed.Position) ([]entry, error) {
	entries, err := readEntries(l.stream)
	if err != nil {
		return nil, err
	}
	if now, err := l.epoch.Result(); err != nil && !errors.Is(err, redis.Nil) {
		return nil, unavailable("read epoch", err)
	} else if epoch != "" && now != epoch {
		return nil, feed.ErrTrimmed
	}
	if end, err := readTail(l.last); len(entries) > 0 || err != nil || end == after {
		return entries, err
	}
	return nil, feed.ErrTrimmed
}

// read is one XREAD that waits at most block for the first entry.
func (r *remote) read(ctx context.Context, p Partition, after feed.Position, limit int, block time.Duration) ([]entry, error) {
	return readEntries(r.client.XRead(ctx, readArgs(p, after, limit, block)))
}

// readArgs are those of one XREAD; a negative block does not wait.
func readArgs(p Partition, after feed.Position, limit int, block time.Duration) *redis.XReadArgs {
	return &redis.XReadArgs{Streams: []string{string(ChangesKey(p)), after.String()}, Count: int64(limit), Block: block}
}

func readEntries(cmd *redis.XStreamSliceCmd) ([]entry, error) {
	reply, err := cmd.Result()
	if errors.Is(err, redis.Nil) || err == nil && len(reply) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable("read changes", err)
	}
	entries := make([]entry, len(reply[0].Messages))
	for i := range entries {
		if entries[i], err = readEntry(&reply[0].Messages[i]); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func readEntry(m *redis.XMessage) (entry, error) {
	id, err := feed.ParsePosition(m.ID)
	if err != nil {
		return entry{}, err
	}
	field := func(name string) string { s, _ := m.Values[name].(string); return s }
	return entry{id: id, version: field(fieldVersion), prev: field(fieldPrev), boards: field(fieldBoards), groups: field(fieldGroups)}, nil
}

func (r *remote) trim(ctx context.Context, partitions int, age time.Duration) error {
	for p := range Partition(partitions) {
		if err := trimChanges(ctx, r.client, p, age); err != nil {
			return err
		}
	}
	return nil
}

// trimChanges goes by the server's clock, as the ids do.
func trimChanges(ctx context.Context, server redis.Cmdable, p Partition, age time.Duration) error {
	now, err := server.Time(ctx).Result()
	if err != nil {
		return unavailable("read time", err)
	}
	first := feed.Position{Ms: uint64(max(now.Add(-age).UnixMilli(), 0))}
	if err := server.XTrimMinID(ctx, string(ChangesKey(p)), first.String()).Err(); err != nil {
		return unavailable("trim changes", err)
	}
	return nil
}

func (r *remote) run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (r *remote) close() error { return r.client.Close() }
