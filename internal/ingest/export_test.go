package ingest

import "context"

// SweepNow does what the sweepers do at their next tick.
func (s *Service) SweepNow(ctx context.Context) error {
	for _, w := range s.sweepers {
		if err := w.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}
