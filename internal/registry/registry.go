// Package registry holds the published catalogs of every org and publishes new ones. Readers take a catalog from memory without a
// lock; the store is read at start, after a commit was fenced, and when another node says that an org changed.
//
// A catalog is one document; beside it every partition has a fence document that names the catalog's hash, and every commit of
// an activity names the fence version that it was computed under. Publishing writes the catalog first and then the fences,
// each by compare-and-set; Publish returns when all of them name the new catalog. From then on no commit computed under an
// older catalog applies anywhere, so what depends on that (backfill, final standings) is read after Publish. A fence that names
// another catalog than the stored one is a publication under way, or one whose node died: any node that meets it carries it
// forward, so an org is never stuck and two publishers agree on the one that the catalog document names.
//
// Periods close in the same way. Beside the catalog's hash a fence says up to which instant periods are closed, and which are gone. Both only grow, and
// joining them (the later instant, the later first period that is kept) gives the same in any order. Whoever writes a fence writes the join of all
// fences as it read them with what it adds, by compare-and-set on each: no fence ever falls behind what it said, and fences that differ are a closing
// under way, which any node that meets it carries forward. Close returns when every fence says at least what was asked. From then on every commit that
// applies was computed by somebody who knew that the period is closed, on whatever node and by whatever clock.
//
// Outages (streaks.Outage) stand in the fences too, and are joined as a union by id in which a removal wins: once Declare or Withdraw has returned, every
// commit that applies was computed with what is declared now. Those before follow by a backfill, as after a publication: an Entry's Edition names what all
// users are to follow, and changes with the catalog's document as with the outages. None is ever dropped, because what was folded with it depends on it.
package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/store"
	"laurel/streaks"
)

// ErrVersionMismatch says that the catalog is no longer the one that a change was made to.
var ErrVersionMismatch = errors.New("catalog has another version")

// ErrOrgNotFound says that the org has no catalog.
var ErrOrgNotFound = errors.New("no such org")

// Entry is one org's published catalog. It is immutable.
type Entry struct {
	Catalog *catalog.Catalog
	// Version is that of the catalog document.
	Version store.Version
	// Fences are the versions of the fence documents, by partition: each partition's document has its own.
	Fences []store.Version
	// ClosedThrough: every period with end + close_grace at or before it is closed, in every partition. It only grows; 0: none was closed yet.
	ClosedThrough calendar.Instant
	// Kept says which of the closed periods are gone. It only grows, also where a rule's keep does: what is gone does not come back.
	Kept catalog.Kept
	// Outages are the org's, also those that were taken back, in order of At, then ID. They only grow, and one that was taken back stays so.
	Outages []streaks.Outage
	// Edition names what the users' states are to follow: another one for another catalog document, and for each change of the outages.
	Edition Edition
}

// Fence is the version that a commit to the partition must name.
func (e *Entry) Fence(p store.Partition) store.Version { return e.Fences[p] }

// Registry is the catalogs of a deployment. It is safe for concurrent use.
type Registry struct {
	store *store.Store
	log   zerolog.Logger

	entries atomic.Pointer[map[activity.Org]*Entry]
	// A read that began later has seen at least as much: tickets keep one that began earlier and ended later from bringing an
	// older entry back, without a lock across the read.
	tickets atomic.Uint64
	mu      sync.Mutex
	applied map[activity.Org]uint64

	editing chan struct{} // see Edit
}

// New returns a Registry without any catalog in memory: call Load before serving.
func New(s *store.Store, log zerolog.Logger) *Registry {
	r := &Registry{store: s, log: log, applied: map[activity.Org]uint64{}, editing: make(chan struct{}, 1)}
	r.entries.Store(&map[activity.Org]*Entry{})
	return r
}

// Get returns the org's catalog as this node knows it. It takes no lock.
func (r *Registry) Get(org activity.Org) (*Entry, bool) {
	e, ok := (*r.entries.Load())[org]
	return e, ok
}

// Orgs returns the orgs that have a catalog, sorted.
func (r *Registry) Orgs() []activity.Org {
	return slices.Sorted(maps.Keys(*r.entries.Load()))
}

// Empty says whether the store has no catalog at all: it is new, or was wiped.
func (r *Registry) Empty(ctx context.Context) (bool, error) {
	docs, err := r.store.Catalogs(ctx)
	return len(docs) == 0, err
}

// Load reads every catalog and its fences, and forgets the orgs that the store no longer has. A catalog that this program cannot compile stops
// it: serving the other orgs would answer that org's users wrongly.
func (r *Registry) Load(ctx context.Context) error {
	ticket := r.tickets.Add(1)
	docs, err := r.store.Catalogs(ctx)
	if err != nil {
		return fmt.Errorf("read catalogs: %w", err)
	}
	found := map[activity.Org]bool{}
	for _, doc := range docs {
		c, err := catalog.ParseOrg(doc.Content)
		if err != nil {
			return fmt.Errorf("stored catalog %s: %w", doc.Key, err)
		}
		if _, err := r.Reload(ctx, c.Org); err != nil {
			return err
		}
		found[c.Org] = true
	}
	r.drop(ticket, found)
	return nil
}

// drop forgets the orgs that a listing did not find, save those that were read since it began.
func (r *Registry) drop(ticket uint64, found map[activity.Org]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := maps.Clone(*r.entries.Load())
	maps.DeleteFunc(entries, func(org activity.Org, _ *Entry) bool { return !found[org] && r.applied[org] < ticket })
	r.entries.Store(&entries)
}

// Reload reads the org's catalog and fences again and returns what this node now works with. Every commit that it allows was
// computed under the returned catalog. ErrOrgNotFound, and then Get goes on answering as before: an org goes only with the history that it belongs
// to, and whoever notices that loads everything. Errors of the store.
func (r *Registry) Reload(ctx context.Context, org activity.Org) (*Entry, error) {
	return r.join(ctx, org, fence{})
}

// Close makes every period with end + close_grace ≤ through closed, and those before kept gone, and returns what this node now works with. What was
// closed or gone before stays so. Errors as Reload.
func (r *Registry) Close(ctx context.Context, org activity.Org, through calendar.Instant, kept catalog.Kept) (*Entry, error) {
	return r.join(ctx, org, fence{ClosedThrough: int64(through), Kept: kept})
}

// join has every fence say what add says beside what it said before, and returns what this node now works with.
func (r *Registry) join(ctx context.Context, org activity.Org, add fence) (*Entry, error) {
	e, ticket, err := r.read(ctx, org, add)
	if err != nil {
		return nil, fmt.Errorf("read catalog and fences of org %s: %w", org, err)
	}
	return r.put(org, ticket, e), nil
}

// put makes e known unless a read that began later was faster, and returns what is known.
func (r *Registry) put(org activity.Org, ticket uint64, e *Entry) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.entries.Load()
	if ticket < r.applied[org] {
		return old[org]
	}
	r.applied[org] = ticket
	entries := maps.Clone(old)
	entries[org] = e
	r.entries.Store(&entries)
	return e
}
