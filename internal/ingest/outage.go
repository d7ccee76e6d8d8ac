package ingest

import (
	"context"
	"crypto/rand"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/registry"
	"laurel/streaks"
)

// DeclareOutage declares that no streak of the org can be missed in [from, to). When it returns, whatever is decided knows of it; users to whom nothing happens
// follow by the backfill, until when the boards of streaks are pending. registry.ErrOrgNotFound, *registry.OutageError, registry.ErrTooManyOutages; errors of
// the store, after which it may be declared nevertheless: Outages says so.
func (s *Service) DeclareOutage(ctx context.Context, org activity.Org, from, to calendar.Instant, reason string) (streaks.Outage, error) {
	o := streaks.Outage{ID: rand.Text(), At: s.Clock.Now(), From: from, To: to, Reason: reason}
	_, err := s.Registry.Declare(ctx, org, o)
	return o, err
}

// WithdrawOutage takes an outage back; doing it twice is fine. registry.ErrOrgNotFound, registry.ErrOutageNotFound, registry.ErrOutageSealed; errors of the store.
func (s *Service) WithdrawOutage(ctx context.Context, org activity.Org, id string) error {
	_, err := s.Registry.Withdraw(ctx, org, id, s.Clock.Now())
	return err
}

// Outages are the org's as this node knows them, in the order in which they were declared, also those that were taken back. registry.ErrOrgNotFound.
func (s *Service) Outages(org activity.Org) ([]streaks.Outage, error) {
	e, ok := s.Registry.Get(org)
	if !ok {
		return nil, registry.ErrOrgNotFound
	}
	return e.Outages, nil
}
