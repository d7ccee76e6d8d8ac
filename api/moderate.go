package api

import (
	"context"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

// Moderation is what is done to a user as a whole.
type Moderation interface {
	Hide(ctx context.Context, org activity.Org, user activity.User) error
	Unhide(ctx context.Context, org activity.Org, user activity.User) error
	Block(ctx context.Context, org activity.Org, user activity.User) error
	Unblock(ctx context.Context, org activity.Org, user activity.User) error
}

// moderationRoutes are the routes of Moderation.
func (a *API) moderationRoutes() []route {
	const one = "/v1/users/{user}"
	w := a.Writes
	return []route{
		{method: http.MethodPost, pattern: one + "/hide", scope: auth.UsersWrite, serve: a.moderate(w.Hide), doc: docHideUser()},
		{method: http.MethodPost, pattern: one + "/unhide", scope: auth.UsersWrite, serve: a.moderate(w.Unhide), doc: docUnhideUser()},
		{method: http.MethodPost, pattern: one + "/block", scope: auth.UsersWrite, serve: a.moderate(w.Block), doc: docBlockUser()},
		{method: http.MethodPost, pattern: one + "/unblock", scope: auth.UsersWrite, serve: a.moderate(w.Unblock), doc: docUnblockUser()},
	}
}

// moderate does something to the user of the path and answers as GET of the user does.
func (a *API) moderate(do func(context.Context, activity.Org, activity.User) error) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		user, err := pathUser(r)
		if err != nil {
			return err
		}
		if err := do(r.Context(), r.org, user); err != nil {
			return err
		}
		return a.writeUser(w, r, user)
	}
}

func (a *API) writeUser(w http.ResponseWriter, r *request, user activity.User) error {
	object, err := a.Reads.User(r.Context(), r.org, user)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}
