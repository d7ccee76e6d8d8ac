package api

import (
	"cmp"
	"context"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/query"
)

const maxActivities = 500

func (a *API) userRoutes() []route {
	const one = "/v1/users/{user}"
	return []route{
		{method: http.MethodGet, pattern: "/v1/users", scope: auth.UsersRead, serve: a.getUsers, doc: docGetUsers()},
		{method: http.MethodGet, pattern: one, scope: auth.UsersRead, own: true, serve: a.getUser, doc: docGetUser()},
		{method: http.MethodPut, pattern: one, scope: auth.UsersWrite, serve: a.setUser(true), doc: docPutUser()},
		{method: http.MethodPatch, pattern: one, scope: auth.UsersWrite, serve: a.setUser(false), doc: docPatchUser()},
		{method: http.MethodGet, pattern: one + "/ranks", scope: auth.UsersRead, own: true, serve: a.getUserRanks, doc: docGetUserRanks()},
		{method: http.MethodGet, pattern: one + "/streaks", scope: auth.UsersRead, own: true, serve: a.getStreaks, doc: docGetStreaks()},
		{method: http.MethodGet, pattern: one + "/activities", scope: auth.UsersRead, own: true, serve: a.getActivities, doc: docGetActivities()},
	}
}

// userObject serves what a read says of the user of the path.
func (a *API) userObject(read func(context.Context, activity.Org, activity.User) ([]byte, error)) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		user, err := pathUser(r)
		if err != nil {
			return err
		}
		if err := a.await(r); err != nil {
			return err
		}
		object, err := read(r.Context(), r.org, user)
		if err != nil {
			return err
		}
		return writeBytes(w, http.StatusOK, object)
	}
}

// getUser serves everything about the user of the path, with ?stats=month also what came in the last month.
func (a *API) getUser(w http.ResponseWriter, r *request) error {
	switch r.query().Get("stats") {
	case "":
		return a.getUserNow(w, r)
	case "month":
		return a.userObject(a.Reads.UserWithMonth)(w, r)
	}
	return badRequest("stats", "This may be month or absent.")
}

// getUserNow serves the read of a user that most are, in memory that is used again.
func (a *API) getUserNow(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	lent := a.buffers.get()
	object, err := a.Reads.AppendUser(r.Context(), *lent, r.org, user)
	if err != nil {
		return err
	}
	defer a.buffers.put(lent, object)
	return writeBytes(w, http.StatusOK, object)
}

// getUserRanks serves the ranks of the user of the path: on the current boards, or on those of ?period=.
func (a *API) getUserRanks(w http.ResponseWriter, r *request) error {
	q := r.query()
	if q.Has("period") && q.Get("period") == "" {
		return badRequest("period", "This must be a cycle, a label, or cycle~N; leave it out for all current periods.")
	}
	return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
		return a.Reads.UserRanks(ctx, org, user, q.Get("period"))
	})(w, r)
}

// setUser changes the user of the path and answers as GET does. create makes one who is not there, and what the body does not name is removed.
func (a *API) setUser(create bool) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		user, err := pathUser(r)
		if err != nil {
			return err
		}
		var in userChange
		if err := a.decodeBody(r, &in, required); err != nil {
			return err
		}
		if err := a.Writes.SetUser(r.Context(), r.org, user, in.change(create)); err != nil {
			return userFault(err)
		}
		object, err := a.Reads.User(r.Context(), r.org, user)
		if err != nil {
			return err
		}
		return writeBytes(w, http.StatusOK, object)
	}
}

func (a *API) getStreaks(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	at, err := queryInstant(r, "at")
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	object, err := a.Reads.Streaks(r.Context(), r.org, user, at)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

// activityQuery reads which activities are asked for. before is cursor as it was called first.
func activityQuery(r *request) (query.ActivityQuery, error) {
	p := r.query()
	q := query.ActivityQuery{Kind: p.Get("kind"), Name: p.Get("name"), Status: p.Get("status"), Sort: p.Get("sort"), Cursor: cmp.Or(p.Get("cursor"), p.Get("before"))}
	var err error
	if q.Limit, err = queryInt(r, "limit", defaultLimit, 1, maxActivities); err != nil {
		return q, err
	}
	if q.From, err = queryInstant(r, "from"); err != nil {
		return q, err
	}
	q.To, err = queryInstant(r, "to")
	return q, err
}

// activityPage is a part of a user's activities.
type activityPage struct {
	Activities []*activityWire `json:"activities" nullable:"false"`
	Next       string          `json:"next,omitempty" doc:"Pass it as cursor to get the next page; absent on the last"`
}

func (a *API) getActivities(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	asked, err := activityQuery(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	list, next, err := a.Reads.Activities(r.Context(), r.org, user, asked)
	if err != nil {
		return err
	}
	page := activityPage{Activities: make([]*activityWire, len(list)), Next: next}
	for i := range list {
		page.Activities[i] = wireActivity(&list[i])
	}
	return writeJSON(w, http.StatusOK, page)
}
