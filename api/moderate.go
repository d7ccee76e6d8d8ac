package api

import (
	"context"
	"errors"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/ingest"
)

// Moderation is what is done to a user as a whole.
type Moderation interface {
	Hide(ctx context.Context, org activity.Org, user activity.User) error
	Unhide(ctx context.Context, org activity.Org, user activity.User) error
	Block(ctx context.Context, org activity.Org, user activity.User) error
	Unblock(ctx context.Context, org activity.Org, user activity.User) error
	Delete(ctx context.Context, org activity.Org, user activity.User) error
	Merge(ctx context.Context, org activity.Org, from, into activity.User) error
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
		{method: http.MethodPost, pattern: one + "/merge", scope: auth.UsersWrite, serve: a.mergeUser, doc: docMergeUser()},
		{method: http.MethodDelete, pattern: one, scope: auth.UsersWrite, serve: a.deleteUser, doc: docDeleteUser()},
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

// mergeTarget is the body of a merge.
type mergeTarget struct {
	Into string `json:"into" minLength:"1" maxLength:"128" example:"bob" doc:"The user who takes over; it must be there"`
}

func (a *API) mergeUser(w http.ResponseWriter, r *request) error {
	from, err := pathUser(r)
	if err != nil {
		return err
	}
	var in mergeTarget
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	if !validText(in.Into) {
		return badRequest("into", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
	}
	err = a.Writes.Merge(r.Context(), r.org, from, activity.User(in.Into))
	if errors.Is(err, ingest.ErrSameUser) {
		return badRequest("into", "A user cannot be merged into itself.")
	}
	if err != nil {
		return err
	}
	return a.writeUser(w, r, activity.User(in.Into))
}

func (a *API) deleteUser(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	if err := a.Writes.Delete(r.Context(), r.org, user); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
