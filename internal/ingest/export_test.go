package ingest

import (
	"context"

	"laurel/internal/activity"
)

// SweepNow does what the sweepers do at their next tick.
func (s *Service) SweepNow(ctx context.Context) error {
	for _, w := range s.sweepers {
		if err := w.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// BackfillNow does what the backfill does at its next tick.
func (s *Service) BackfillNow(ctx context.Context, org activity.Org) error {
	return s.backfillOrg(ctx, org)
}
