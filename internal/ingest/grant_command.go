package ingest

import (
	"context"
	"crypto/rand"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
)

// GrantOrder is a reward that a user is given by command.
type GrantOrder struct {
	ID     string // "": one is made
	Reward string
	Count  int64 // of entries; 0: 1
}

// grantCommand is what commands about grants carry.
type grantCommand struct {
	hold    grants.Hold  // vouch: whether the user has the grant of this hold
	order   grantOrder   // granted
	grant   grants.Grant // the grant as it is then
	changed bool         // whether that is news
}

// grantOrder is a command about a user's grants: from those that are there it says what becomes of one, which may be nothing.
type grantOrder func(set grants.Set, now calendar.Instant) (g grants.Grant, change granting, err error)

// Grant gives a user a reward. The same id for the same reward again changes nothing: created is false. ErrUserNotFound, ErrUserMerged, ErrRewardNotFound, ErrNotCounted,
// ErrGrantConflict, ErrOutOfStock.
func (s *Service) Grant(ctx context.Context, org activity.Org, user activity.User, o GrantOrder) (g grants.Grant, created bool, err error) {
	_, e, err := s.Plan(org)
	if err != nil {
		return g, false, err
	}
	switch def := rewardOf(e.Catalog, o.Reward); {
	case def == nil:
		return g, false, ErrRewardNotFound
	case o.Count > 1 && !def.Entry:
		return g, false, ErrNotCounted
	}
	if o.ID == "" {
		o.ID = rand.Text()
	}
	return s.orderGrant(ctx, org, user, o.order)
}

func (o *GrantOrder) order(set grants.Set, now calendar.Instant) (grants.Grant, granting, error) {
	count := max(o.Count, 1)
	have, there := set[o.ID]
	switch {
	case !there:
		g := grants.Grant{ID: o.ID, Reward: o.Reward, Count: count}
		return g, granting{issued: []grants.Grant{g}}, nil
	case have.Status(now) == grants.None || have.Reward != o.Reward || have.Count != count:
		return grants.Grant{}, granting{}, ErrGrantConflict
	}
	return have, granting{}, nil
}

// ClaimGrant claims a grant of a user; again it changes nothing. ErrUserNotFound, ErrUserMerged, ErrGrantNotFound, grants.ErrExpired.
func (s *Service) ClaimGrant(ctx context.Context, org activity.Org, user activity.User, id string) (grants.Grant, error) {
	return s.moveGrant(ctx, org, user, id, (*grants.Grant).Claim)
}

// RedeemGrant redeems a grant of a user, and claims it if it was not; again it changes nothing. Errors as ClaimGrant.
func (s *Service) RedeemGrant(ctx context.Context, org activity.Org, user activity.User, id string) (grants.Grant, error) {
	return s.moveGrant(ctx, org, user, id, (*grants.Grant).Redeem)
}

func (s *Service) moveGrant(ctx context.Context, org activity.Org, user activity.User, id string, move func(*grants.Grant, calendar.Instant) (bool, error)) (grants.Grant, error) {
	g, _, err := s.orderGrant(ctx, org, user, func(set grants.Set, now calendar.Instant) (grants.Grant, granting, error) {
		g, there := set[id]
		if !there || g.Status(now) == grants.None {
			return g, granting{}, ErrGrantNotFound
		}
		changed, err := move(&g, now)
		if !changed || err != nil {
			return g, granting{}, err
		}
		return g, granting{changed: []grants.Grant{g}}, nil
	})
	return g, err
}

// orderGrant carries out an order; changed says that it did something.
func (s *Service) orderGrant(ctx context.Context, org activity.Org, user activity.User, o grantOrder) (g grants.Grant, changed bool, err error) {
	c := &command{kind: granted, grants: grantCommand{order: o}}
	if _, err = s.do(ctx, org, user, "", c); err != nil {
		return grants.Grant{}, false, err
	}
	return c.grants.grant, c.grants.changed, nil
}

// decideGranted decides an order about grants.
func (w *writer) decideGranted(ctx context.Context, t *task, c *command) error {
	set, err := w.grantsOf(ctx, t)
	if err != nil {
		return err
	}
	a, now := &t.attempt, w.Clock.Now()
	g, change, err := c.grants.order(set, now)
	c.grants.grant, c.grants.changed, a.err = g, change.any(), err
	if err != nil || !c.grants.changed {
		return nil
	}
	if err := w.decideAsOf(ctx, t, now); err != nil {
		return err
	}
	change.due, change.ordered = a.granting.due, g.ID
	a.granting = change
	return nil
}
