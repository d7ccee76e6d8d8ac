package ingest

import (
	"context"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// filling is the content of an org's backfill document.
type filling struct {
	Edition registry.Edition  `json:"catalog"`          // that every user follows, "" for none
	Boards  map[string]uint32 `json:"boards,omitempty"` // Plan.BoardPrints of it
	Walk    *walk             `json:"walk,omitempty"`   // towards another one
	Listed  bool              `json:"listed,omitempty"` // everyone is in the list of users

	org     activity.Org
	version store.Version
}

// walk is how far a backfill has come: everyone in the partitions before Partition, and those in it before Cursor, follow Edition.
type walk struct {
	Edition   registry.Edition `json:"catalog"`
	Partition int              `json:"partition"`
	Cursor    uint64           `json:"cursor"`
	Done      int              `json:"done"`            // users
	Lists     bool             `json:"lists,omitempty"` // all of those are in the list of users
}

func (f *filling) followed() followed { return followed{f.Edition, f.Boards, f.Listed} }

// isDone says whether nothing is left to be done for an edition.
func (f *filling) isDone(edition registry.Edition) bool { return f.Listed && f.Edition == edition }

// readFilling reads the document.
func (s *Service) readFilling(ctx context.Context, org activity.Org) (*filling, error) {
	docs, err := s.Store.Docs(ctx, []store.Key{store.BackfillKey(org)})
	if err != nil {
		return nil, err
	}
	return parseFilling(org, &docs[0]), nil
}

// parseFilling takes a document of an earlier form for none: who follows already is passed over.
func parseFilling(org activity.Org, d *store.Doc) *filling {
	f := &filling{}
	if d.Version != "" && json.Unmarshal(d.Content, f) != nil {
		f = &filling{}
	}
	f.org, f.version = org, d.Version
	return f
}

// saveFilling writes the document of a walk for an edition, if nobody else has written it since and the edition is still the org's. If it does not, f has what
// is there now, save the walk, which goes on.
func (s *Service) saveFilling(ctx context.Context, edition registry.Edition, f *filling) (saved bool, err error) {
	content, err := json.Marshal(f, json.Deterministic(true))
	if err != nil {
		return false, err
	}
	for range maxRounds {
		e, ok := s.Registry.Get(f.org)
		if !ok || e.Edition != edition {
			return false, nil
		}
		group := store.Group{Org: f.org, Fence: e.Fence(0), Doc: store.BackfillKey(f.org), Expect: f.version, Content: content}
		r, err := s.Store.Commit(ctx, 0, []store.Group{group})
		if err != nil {
			return false, err
		}
		switch o := &r.Outcomes[0]; o.Status {
		case store.Applied:
			f.version = r.Version
			return true, nil
		case store.Fenced: // periods were closed, or the edition changed
			if _, err := s.Registry.Reload(ctx, f.org); err != nil {
				return false, err
			}
		default:
			there := parseFilling(f.org, &o.Doc)
			f.Edition, f.Boards, f.Listed, f.version = there.Edition, there.Boards, there.Listed, there.version
			return false, nil
		}
	}
	return false, ErrConflict
}
