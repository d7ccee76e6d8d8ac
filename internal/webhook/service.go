package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// Events is what happened, in order (*closing.Closer).
type Events interface {
	Events(ctx context.Context, q closing.EventQuery, wait time.Duration) (closing.EventPage, error)
	SkipGone(ctx context.Context, after string) (next string, partitions int, err error)
}

// Options of a Service. Store, Registry, Events and Clock are needed.
type Options struct {
	Store    *store.Store
	Registry *registry.Registry
	Events   Events
	Clock    *clock.Clock
	// AllowPrivate lets targets be in the operator's own network.
	AllowPrivate bool
	// Timeout is how long a request may take; 0: 15 s. Grace is what it still has when the node stops; 0: 2 s.
	Timeout, Grace time.Duration
	// Wait is how long a webhook without events waits for one at a time; 0: 5 s.
	Wait time.Duration
	// Requests bounds how many requests are under way at once; 0: 64.
	Requests int
	// Getenv reads the variables that definitions name; nil: those of the process.
	Getenv func(name string) string
	// Stamp is the time that messages are signed with: that of the world, also where Clock is a test's. nil: the machine's.
	Stamp    func() time.Time
	Resolver *net.Resolver // nil: the system's
	Metrics  Metrics
	Log      zerolog.Logger
}

// Metrics are told what happens. A nil function is not called.
type Metrics struct {
	// Sent: a request ended as ok, refused or unreached.
	Sent func(result string, took time.Duration)
	// Gap: events were trimmed that had not been sent.
	Gap func()
}

// Service sends what the webhooks of all orgs want. Run is for one goroutine, the rest is safe for concurrent use.
type Service struct {
	Options
	node   string // names this process in leases
	client *http.Client
	slots  *semaphore.Weighted

	mu      sync.Mutex
	waiting map[name]time.Time // of what this node sends: when the oldest event was appended that waits
}

// name is a webhook of an org.
type name struct {
	org activity.Org
	id  string
}

// New returns a Service that sends nothing until Run.
func New(o Options) *Service {
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.Grace = cmp.Or(o.Grace, 2*time.Second)
	o.Wait = cmp.Or(o.Wait, 5*time.Second)
	o.Requests = cmp.Or(o.Requests, 64)
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Stamp == nil {
		o.Stamp = time.Now
	}
	return &Service{Options: o, node: rand.Text(), client: newClient(&o), slots: semaphore.NewWeighted(int64(o.Requests)), waiting: map[name]time.Time{}}
}

// lookEvery is how soon a webhook is begun that was published, or that another node could take up.
const lookEvery = 250 * time.Millisecond

// Run sends until ctx ends, then gives the leases back. What fails is tried again.
func (s *Service) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	running := map[name]context.CancelFunc{}
	var all sync.WaitGroup
	defer all.Wait()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		wanted := s.active()
		for n, stop := range running {
			if !wanted[n] {
				stop()
				delete(running, n)
			}
		}
		for n := range wanted {
			if running[n] == nil {
				own, stop := context.WithCancel(ctx)
				running[n] = stop
				all.Go(func() { s.keep(own, n) })
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return nil
		}
	}
}

// active are the webhooks that are to be sent to.
func (s *Service) active() map[name]bool {
	found := map[name]bool{}
	for _, org := range s.Registry.Orgs() {
		if e, ok := s.Registry.Get(org); ok {
			for _, w := range e.Catalog.Webhooks {
				if w.Active {
					found[name{org, w.ID}] = true
				}
			}
		}
	}
	return found
}

// keep sends to one webhook until ctx ends.
func (s *Service) keep(ctx context.Context, n name) {
	w := &worker{Service: s, name: n}
	defer w.leave(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(w.step(ctx))
		}
	}
}

// Lag is how long the oldest event that waits for a webhook of this node has been waiting.
func (s *Service) Lag() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	lag := time.Duration(0)
	for _, since := range s.waiting {
		lag = max(lag, time.Since(since))
	}
	return lag
}

// note remembers since when an event has been waiting for a webhook; ms is 0 where none is.
func (s *Service) note(n name, ms int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms == 0 {
		delete(s.waiting, n)
		return
	}
	s.waiting[n] = time.UnixMilli(ms)
}

// secrets are the texts of what a definition signs or verifies with; nil where they are not known here.
func (s *Service) secrets(hooks *registry.HookState, named []catalog.Secret, env string) (texts []string) {
	if env != "" {
		return fieldsOf(s.Getenv(env))
	}
	for _, secret := range named {
		if text := hooks.Secrets[secret.Hint]; text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
