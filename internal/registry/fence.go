package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/store"
	"laurel/streaks"
)

// fence is a fence document's content.
type fence struct {
	Catalog       string           `json:"catalog"`                  // Catalog.Hash
	ClosedThrough int64            `json:"closed_through,omitempty"` // Entry.ClosedThrough
	Kept          catalog.Kept     `json:"kept,omitempty"`           // Entry.Kept
	Outages       []streaks.Outage `json:"outages,omitempty"`        // Entry.Outages
}

// join is what both say of periods and outages, under f's catalog.
func (f fence) join(other fence) fence {
	f.ClosedThrough = max(f.ClosedThrough, other.ClosedThrough)
	f.Kept = f.Kept.Join(other.Kept)
	f.Outages = joinOutages(f.Outages, other.Outages)
	return f
}

func (f fence) equal(other fence) bool {
	return f.Catalog == other.Catalog && f.ClosedThrough == other.ClosedThrough && f.Kept.Equal(other.Kept) && slices.Equal(f.Outages, other.Outages)
}

// fences are an org's fences as they were read, by partition.
type fences struct {
	docs []store.Doc
	said []fence // the zero fence for one that is not there
}

// read returns the org's stored catalog once every partition's fence names it, and says what is closed, gone and declared in any of them or in add; it writes
// those that do not. The fences are read before the document: if the compare-and-set on a fence then holds, nobody fenced for a newer document in between.
//
// The ticket is of what the entry was made from: whoever has a later one read after these fences had been written.
func (r *Registry) read(ctx context.Context, org activity.Org, add fence) (e *Entry, ticket uint64, err error) {
	for range attempts {
		ticket = r.tickets.Add(1)
		have, err := r.fences(ctx, org)
		if err != nil {
			return nil, 0, err
		}
		doc, err := r.document(ctx, org)
		if err != nil {
			return nil, 0, err
		}
		if doc.Version == "" {
			return nil, 0, ErrOrgNotFound
		}
		c, err := catalog.ParseOrg(doc.Content)
		if err != nil {
			return nil, 0, err
		}
		want := add
		want.Catalog = c.Hash
		for _, said := range have.said {
			want = want.join(said)
		}
		stale, err := r.advance(ctx, org, want, have)
		if err != nil {
			return nil, 0, err
		}
		if stale == 0 {
			return &Entry{Catalog: c, Version: doc.Version, Fences: have.versions(), ClosedThrough: calendar.Instant(want.ClosedThrough), Kept: want.Kept,
				Outages: want.Outages, Edition: edition(doc.Version, want.Outages)}, ticket, nil
		}
	}
	return nil, 0, fmt.Errorf("fences of org %s do not settle: %w", org, store.ErrUnavailable)
}

// advance writes the fences that say something else than want, and says how many those were: the caller reads again, because both the fences' versions
// and the document may be others by now.
func (r *Registry) advance(ctx context.Context, org activity.Org, want fence, have fences) (stale int, err error) {
	content, err := json.Marshal(want, json.Deterministic(true))
	if err != nil {
		return 0, err
	}
	for p, doc := range have.docs {
		if doc.Version != "" && have.said[p].equal(want) {
			continue
		}
		stale++
		// Other nodes hear of a publication and of a close by the commits that go with those; an outage is nowhere but here.
		group := store.Group{Org: org, Doc: doc.Key, Expect: doc.Version, Content: content, OrgChanged: !slices.Equal(have.said[p].Outages, want.Outages)}
		if _, err := r.commit(ctx, store.Partition(p), group); err != nil {
			return stale, err
		}
	}
	return stale, nil
}

// fences reads the org's fence of every partition.
func (r *Registry) fences(ctx context.Context, org activity.Org) (fences, error) {
	n := r.store.Partitions()
	f := fences{docs: make([]store.Doc, n), said: make([]fence, n)}
	for p := range n {
		docs, err := r.store.Docs(ctx, []store.Key{store.FenceKey(store.Partition(p), org)})
		if err != nil {
			return f, err
		}
		f.docs[p] = docs[0]
		if docs[0].Version == "" {
			continue
		}
		if err := json.Unmarshal(docs[0].Content, &f.said[p]); err != nil {
			return f, fmt.Errorf("fence of org %s in partition %d: %w", org, p, err)
		}
	}
	return f, nil
}

func (f *fences) versions() []store.Version {
	out := make([]store.Version, len(f.docs))
	for i, d := range f.docs {
		out[i] = d.Version
	}
	return out
}
