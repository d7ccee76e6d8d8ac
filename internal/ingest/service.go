package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/ranking"
)

// What Submit and the commands may answer beside store.ErrUnavailable and registry.ErrOrgNotFound.
var (
	// ErrOverloaded: the queue of a partition is full. Try again in a moment.
	ErrOverloaded       = errors.New("too many activities are waiting")
	ErrUserNotFound     = errors.New("no such user")
	ErrActivityNotFound = errors.New("no such activity")
	// ErrSealed: the activity lies before the user's seal and cannot be changed any more.
	ErrSealed         = errors.New("activity is sealed")
	ErrImportNotFound = errors.New("no such import")
	ErrImportClosed   = errors.New("import is closed")
	// ErrUserMerged: the user was merged into another one, whom the error names (*MergedError).
	ErrUserMerged = errors.New("user was merged into another one")
	// ErrSameUser: a user cannot be merged into itself.
	ErrSameUser = errors.New("user is the same")
	// ErrBadZone: the name is no IANA zone.
	ErrBadZone = errors.New("no such time zone")
	// ErrConflict: a group lost its race too many times in a row.
	ErrConflict = errors.New("too many conflicting writes")
)

// Metrics receives what ingest counts. Any function may be nil.
type Metrics struct {
	Activities func(result string, n int)  // accepted, duplicate, rejected, ignored
	Ingest     func(d time.Duration)       // Submit, from call to answer
	Commit     func(d time.Duration)       // one commit
	Conflicts  func(n int)                 // groups that had to be decided again
	Partition  func(partition, groups int) // of a commit
	Org        func(org string, n int)     // activities that were sent
	Dropped    func(n int)                 // transfers whose receiver is not there any more
}

// Options of a Service. Store, Registry, Boards and Clock are needed.
type Options struct {
	Store    *store.Store
	Registry *registry.Registry
	Boards   *ranking.Boards
	Clock    *clock.Clock
	// QueueLimit is how many activities may wait in a partition; 0: 50,000.
	QueueLimit int
	// CachedUsers is how many users' states are kept in memory; 0: 131,072.
	CachedUsers int
	Metrics     Metrics
	Log         zerolog.Logger
}

// Service is the write path. It is safe for concurrent use.
type Service struct {
	Options
	writers  []*writer
	sweepers []*sweeper
	pumps    []*pump
	filled   filled
	plans    plans
	profiles *profile.Cache
	segments segments
	watchers atomic.Pointer[[]watcher] // of users' documents
	// jobs wakes the worker of jobs.
	jobs   chan struct{}
	onStep func(name string) error // of moves of unique values and of pumps; nil but in tests
}

// New returns a Service; nothing is written until Run.
func New(o Options) *Service {
	if o.QueueLimit == 0 {
		o.QueueLimit = 50_000
	}
	if o.CachedUsers == 0 {
		o.CachedUsers = 131_072
	}
	s := &Service{Options: o, jobs: make(chan struct{}, 1)}
	s.profiles = profile.NewCache(cachedProfiles, s.readProfiles)
	n := o.Store.Partitions()
	for p := range n {
		w := &writer{Service: s, partition: store.Partition(p), queue: newQueue(o.QueueLimit), cache: newCache(o.CachedUsers / n)}
		s.writers = append(s.writers, w)
		s.sweepers = append(s.sweepers, &sweeper{writer: w})
		s.pumps = append(s.pumps, newPump(s, w.partition))
	}
	return s
}

// Run writes until ctx ends, then finishes what waits, and returns. Nothing may be submitted after ctx has ended.
func (s *Service) Run(ctx context.Context) error {
	// What feeds the writers by itself waits for them, so it ends first.
	var feeding, writing errgroup.Group
	for _, w := range s.sweepers {
		feeding.Go(func() error { return w.run(ctx) })
	}
	for _, p := range s.pumps {
		feeding.Go(func() error { return p.run(ctx) })
	}
	feeding.Go(func() error { return s.backfill(ctx) })
	feeding.Go(func() error { return s.runJobs(ctx) })
	feeding.Go(func() error { return s.keepStocks(ctx) })
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	for _, w := range s.writers {
		writing.Go(func() error { return w.run(work) })
	}
	err := feeding.Wait()
	s.drain(context.WithoutCancel(ctx))
	stop()
	return errors.Join(err, writing.Wait())
}

// Follow takes note of a change that anyone committed: what is in memory of users and orgs that changed is dropped. For the boards' OnChange.
func (s *Service) Follow(c feed.Change) {
	s.profiles.Drop(c.Profiles)
	s.segments.forget(c.Orgs)
	s.tell(c.Users)
	written := slices.IndexFunc(c.Users, func(u feed.UserVersion) bool { return u.Version != "" })
	if len(c.Users) == 0 || written >= 0 && s.Store.Own(c.Users[written].Version) { // a change is one commit, and a commit has one version
		return
	}
	w := s.writers[c.Partition]
	for _, u := range c.Users {
		w.cache.removeOther(store.StateKey(w.partition, u.Org, u.User), store.Version(u.Version))
	}
}

// Forget drops what is known of a partition whose history was lost. For the boards' OnReset.
func (s *Service) Forget(partition int) {
	s.writers[partition].cache.clear()
	s.forgetFilled()
	s.profiles.Reset()
	s.segments.forgetAll()
	for _, w := range s.watching() {
		w.forget()
	}
}

// Waiting is how many activities wait to be written.
func (s *Service) Waiting() int {
	n := 0
	for _, w := range s.writers {
		n += w.queue.len(asked)
	}
	return n
}

func (s *Service) writer(org activity.Org, user activity.User) *writer {
	return s.writers[s.Store.PartitionOf(org, user)]
}

// userKey names a user in a partition.
type userKey struct {
	org  activity.Org
	user activity.User
}

// plans keeps the plan of each published catalog, what it keeps of periods, and its outages, made once.
type plans struct {
	mu sync.Mutex
	of map[activity.Org]planned
}

type planned struct {
	entry *registry.Entry
	plan  *progress.Plan
}

// Plan is the org's catalog made ready, and the registry's entry that it was made from. registry.ErrOrgNotFound.
func (s *Service) Plan(org activity.Org) (*progress.Plan, *registry.Entry, error) {
	e, ok := s.Registry.Get(org)
	if !ok {
		return nil, nil, registry.ErrOrgNotFound
	}
	s.plans.mu.Lock()
	defer s.plans.mu.Unlock()
	have, ok := s.plans.of[org]
	if ok && have.entry == e {
		return have.plan, e, nil
	}
	if s.plans.of == nil {
		s.plans.of = map[activity.Org]planned{}
	}
	if !ok || have.entry.Catalog.Hash != e.Catalog.Hash || !have.entry.Kept.Equal(e.Kept) || !slices.Equal(have.entry.Outages, e.Outages) {
		have.plan = progress.NewPlanOf(e.Catalog, e.Kept, e.Outages)
	}
	have.entry = e
	s.plans.of[org] = have
	return have.plan, e, nil
}
