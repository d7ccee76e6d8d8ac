package store

import "context"

// Deadlines is how many deadlines a partition has.
func (s *Store) Deadlines(ctx context.Context, p Partition) (int64, error) {
	n, err := s.client.ZCard(ctx, string(DueKey(p))).Result()
	if err != nil {
		return 0, unavailable("count deadlines", err)
	}
	return n, nil
}
