package ingest

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
)

// Enrol puts a user into a target group, or takes the user out of it; doing it again changes nothing. ErrUserNotFound, ErrUserMerged and the errors of progress.State.Enrol.
func (s *Service) Enrol(ctx context.Context, org activity.Org, user activity.User, group string, in bool) error {
	return s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error) {
		return st.Enrol(p, group, in, now)
	})
}
