package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Each org has one document of the values that get boards of their own, by attribute. It only grows, up to limits.segments values an attribute, so that
// what is in memory is never wrong about a value that it has. A value is written down before the first commit that records it on an activity; one
// that finds no room gets no board, and that is recorded too, by its absence: nothing is decided again when room comes.

// segments keeps the documents in memory. They are read when first needed, and again after a change of the org.
type segments struct {
	mu    sync.Mutex
	of    map[activity.Org]*segmentDoc
	epoch uint64 // moves when documents are forgotten: what was read before is not kept
}

// segmentDoc is an org's document. It is immutable.
type segmentDoc struct {
	version store.Version
	values  map[string][]string // by attribute, in order
}

func parseSegments(doc store.Doc) (*segmentDoc, error) {
	d := &segmentDoc{version: doc.Version}
	if doc.Version == "" {
		return d, nil
	}
	if err := json.Unmarshal(doc.Content, &d.values); err != nil {
		return nil, fmt.Errorf("document %s: %w", doc.Key, err)
	}
	return d, nil
}

func (d *segmentDoc) has(attribute, value string) bool {
	_, found := slices.BinarySearch(d.values[attribute], value)
	return found
}

// with is the document's content with one value more.
func (d *segmentDoc) with(attribute, value string) *segmentDoc {
	values := maps.Clone(d.values)
	if values == nil {
		values = map[string][]string{}
	}
	i, _ := slices.BinarySearch(values[attribute], value)
	values[attribute] = slices.Insert(slices.Clone(values[attribute]), i, value)
	return &segmentDoc{values: values}
}

// forget drops the documents of orgs that changed.
func (s *segments) forget(orgs []activity.Org) {
	if len(orgs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	for _, org := range orgs {
		delete(s.of, org)
	}
}

func (s *segments) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	clear(s.of)
}

func (s *segments) get(org activity.Org) (d *segmentDoc, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[org], s.epoch
}

// keep keeps a document that was read, or written, since epoch.
func (s *segments) keep(org activity.Org, d *segmentDoc, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != epoch {
		return
	}
	if s.of == nil {
		s.of = map[activity.Org]*segmentDoc{}
	}
	s.of[org] = d
	s.epoch++ // of several that were under way at once only the first is kept: which is the newest cannot be told
}

// segmentDoc returns the org's document, from memory if it is there.
func (s *Service) segmentDoc(ctx context.Context, org activity.Org) (*segmentDoc, error) {
	have, epoch := s.segments.get(org)
	if have != nil {
		return have, nil
	}
	docs, err := s.Store.Docs(ctx, []store.Key{store.SegmentsKey(org)})
	if err != nil {
		return nil, err
	}
	d, err := parseSegments(docs[0])
	if err == nil {
		s.segments.keep(org, d, epoch)
	}
	return d, err
}

// Segments returns the values of an attribute that have boards, in order.
func (s *Service) Segments(ctx context.Context, org activity.Org, attribute string) ([]string, error) {
	d, err := s.segmentDoc(ctx, org)
	if err != nil {
		return nil, err
	}
	return slices.Clone(d.values[attribute]), nil
}

// HasSegment says whether a value of an attribute has boards.
func (s *Service) HasSegment(ctx context.Context, org activity.Org, attribute, value string) (bool, error) {
	d, err := s.segmentDoc(ctx, org)
	if err != nil {
		return false, err
	}
	return d.has(attribute, value), nil
}

// segmentAttributes are what is recorded on activities that come now: those of the user's attributes that rules segment by and whose value has, or
// now gets, boards.
func (w *writer) segmentAttributes(ctx context.Context, t *task) ([]activity.Attribute, error) {
	var recorded []activity.Attribute
	for _, name := range t.plan.Attributes() {
		i := slices.IndexFunc(t.attempt.state.Attributes, func(a progress.Attribute) bool { return a.Name == name })
		if i < 0 {
			continue
		}
		a := t.attempt.state.Attributes[i]
		if !progress.ValidSegment(a.Value) {
			continue
		}
		known, err := w.ensureSegment(ctx, t.key.org, a, t.entry.Catalog.Limits.Segments)
		if err != nil {
			return nil, err
		}
		if known {
			recorded = append(recorded, a)
		}
	}
	return recorded, nil
}

// ensureSegment says whether a value has boards, after giving it some if there is room.
func (s *Service) ensureSegment(ctx context.Context, org activity.Org, a activity.Attribute, limit int) (bool, error) {
	d, err := s.segmentDoc(ctx, org)
	for range maxRounds {
		if err != nil {
			return false, err
		}
		if d.has(a.Name, a.Value) {
			return true, nil
		}
		if len(d.values[a.Name]) >= limit {
			return false, nil
		}
		d, err = s.addSegment(ctx, org, d, a)
	}
	return false, ErrConflict
}

// addSegment writes a value down and returns the document as it is then, which another node may have written meanwhile.
func (s *Service) addSegment(ctx context.Context, org activity.Org, d *segmentDoc, a activity.Attribute) (*segmentDoc, error) {
	_, epoch := s.segments.get(org)
	next := d.with(a.Name, a.Value)
	content, err := json.Marshal(next.values, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	g := store.Group{Org: org, Doc: store.SegmentsKey(org), Expect: d.version, Content: content, OrgChanged: true}
	r, err := s.Store.Commit(ctx, 0, []store.Group{g})
	if err != nil {
		return nil, err
	}
	if o := &r.Outcomes[0]; o.Status == store.Applied {
		next.version = r.Version
	} else if next, err = parseSegments(o.Doc); err != nil {
		return nil, err
	}
	s.segments.keep(org, next, epoch)
	return next, nil
}
