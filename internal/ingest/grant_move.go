package ingest

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"

	"laurel/internal/activity"
	"laurel/internal/grants"
	"laurel/internal/store"
)

// Grants of a user who is merged into another one go along, with their codes and what they hold. Of one user who is deleted what they hold stays used, by nobody.

// absorbed is what a merge brings along.
type absorbed struct {
	from activity.User
	set  grants.Set
}

// absorb takes over the grants of another user. What completions gave both is kept once, unless the other's was used; whatever else has the id of one that is here gets another.
func (g *granter) absorb(ctx context.Context, x *absorbed) error {
	for _, id := range slices.Sorted(maps.Keys(x.set)) {
		grant := x.set[id]
		have, there := g.set[id]
		switch {
		case !there, have.State >= grants.Revoked && grant.State < grants.Revoked:
			g.put(grant)
		default:
			grant.ID = "from:" + string(x.from) + ":" + id
			if grant.State == grants.Issued && grant.Derived {
				if err := g.give(ctx, &grant); err != nil {
					return err
				}
				grant.State = grants.Revoked // not forgotten: it may have a code
			}
			grant.Derived = false
			g.put(grant)
		}
	}
	return nil
}

// forfeit lets go of all codes of a user who is about to be deleted, and has what the user holds be held by nobody. It returns the ids of the grants that it found.
func (s *Service) forfeit(ctx context.Context, org activity.Org, user activity.User) (map[string]bool, error) {
	set, err := s.Grants(ctx, org, user)
	if err != nil {
		return nil, err
	}
	done := make(map[string]bool, len(set))
	for id, g := range set {
		if g.Hold != "" && g.State <= grants.Redeemed {
			if err := s.forfeitHold(ctx, org, &g); err != nil {
				return nil, err
			}
		}
		if g.Code != "" {
			if err := s.dropCode(ctx, org, g.Code); err != nil {
				return nil, err
			}
		}
		done[id] = true
	}
	return done, nil
}

func (s *Service) forfeitHold(ctx context.Context, org activity.Org, g *grants.Grant) error {
	return s.changeStock(ctx, org, g.Reward, g.Hold, func(x *stock) ([]store.Op, bool) {
		if x.pieces == 0 {
			return nil, false
		}
		x.Forfeit(g.Hold)
		return []store.Op{x.holds(store.OpHDel, g.Hold), x.holds(store.OpHSet, rand.Text(), strconv.FormatInt(x.pieces, 10))}, true
	})
}

// dropCode removes the document of a code.
func (s *Service) dropCode(ctx context.Context, org activity.Org, code string) error {
	p, key := s.codeKey(org, code)
	docs, err := s.Store.Docs(ctx, []store.Key{key})
	if err != nil || docs[0].Version == "" {
		return err
	}
	_, err = s.Store.Commit(ctx, p, []store.Group{{Org: org, Doc: key, Expect: docs[0].Version, Delete: true}})
	return err
}

// forfeited says whether nothing is left of the grants of the task's user that somebody would have to let go.
func (w *writer) forfeited(ctx context.Context, t *task, done map[string]bool) (bool, error) {
	set, err := w.grantsOf(ctx, t)
	for id, g := range set {
		if !done[id] && (g.Code != "" || g.Hold != "") {
			return false, nil
		}
	}
	return err == nil, err
}
