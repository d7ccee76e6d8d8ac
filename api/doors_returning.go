package api

import (
	"context"
	"net/http"

	"laurel/api/returning"
	"laurel/internal/activity"
	"laurel/internal/auth"
)

// returningRoutes are those of the Returning.AI-shaped door, under both of its prefixes.
func (a *API) returningRoutes() (routes []route) {
	door := &returning.Door{Reads: a.Reads, Catalogs: definitions{a.Registry}}
	f := &face{find: returning.Credentials, refuse: returning.Refuse, challenge: "Bearer", schemes: []string{"key"}}
	for i, prefix := range returning.Prefixes() {
		for _, rt := range a.returningTable(door) {
			rt.pattern, rt.face = prefix+rt.pattern, f
			if i > 0 {
				rt.doc.id += "Prefixed"
			}
			routes = append(routes, rt)
		}
	}
	return routes
}

func (a *API) returningTable(door *returning.Door) []route {
	const streaks, one = "/streaks", "/streaks/{id}"
	return []route{
		{method: http.MethodPost, pattern: "/users/info", scope: auth.UsersRead, serve: asked(a, door.Info), doc: docReturningInfo()},
		{method: http.MethodPost, pattern: "/users/activity/stats", scope: auth.UsersRead, serve: asked(a, door.Stats), doc: docReturningStats()},
		{method: http.MethodGet, pattern: "/users/activity/daily", scope: auth.UsersRead, serve: returningHistory(door), doc: docReturningHistory()},
		{method: http.MethodPost, pattern: "/users/activity/daily", scope: auth.UsersRead, serve: asked(a, door.Day), doc: docReturningDay()},
		{method: http.MethodPost, pattern: "/users/activity/logs", scope: auth.UsersRead, serve: asked(a, door.Logs), doc: docReturningLogs()},
		{method: http.MethodGet, pattern: streaks + "/logs", scope: auth.UsersRead, serve: returningStreakLogs(door), doc: docReturningStreakLogs()},
		{method: http.MethodGet, pattern: streaks, scope: auth.CatalogRead, serve: returningStreaks(door), doc: docReturningStreaks()},
		{method: http.MethodPost, pattern: streaks, scope: auth.CatalogWrite, serve: a.createReturningStreak(door), doc: docReturningCreate()},
		{method: http.MethodPut, pattern: streaks + "/{$}", scope: auth.CatalogWrite, serve: a.updateReturningStreak(door), doc: docReturningUpdate("updateReturningStreakByID")},
		{method: http.MethodPut, pattern: one, scope: auth.CatalogWrite, serve: a.updateReturningStreak(door), doc: docReturningUpdate("updateReturningStreak")},
		{method: http.MethodDelete, pattern: one, scope: auth.CatalogWrite, serve: func(w http.ResponseWriter, r *request) error {
			return written(w)(door.DeleteStreak(r.Context(), r.org, r.PathValue("id")))
		}, doc: docReturningDelete()},
		{method: http.MethodGet, pattern: one + "/settings", scope: auth.CatalogRead, serve: func(w http.ResponseWriter, r *request) error {
			return written(w)(door.Settings(r.org, r.PathValue("id")))
		}, doc: docReturningSettings()},
		{method: http.MethodPut, pattern: one + "/settings", scope: auth.CatalogWrite, serve: func(w http.ResponseWriter, r *request) error {
			return asked(a, func(ctx context.Context, org activity.Org, in *returning.SettingsIn) (*returning.SettingsAnswer, error) {
				return door.SetSettings(ctx, org, r.PathValue("id"), in)
			})(w, r)
		}, doc: docReturningSetSettings()},
	}
}

// written writes what a door says.
func written(w http.ResponseWriter) func(out any, err error) error {
	return func(out any, err error) error {
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, out)
	}
}

func returningHistory(door *returning.Door) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		days, err := queryInt(r, "days", 0, 1, 90)
		if err != nil {
			return err
		}
		q := r.query()
		return written(w)(door.History(r.Context(), r.org, &returning.StatsRequest{Identifier: q.Get("identifier"), IdentifierType: q.Get("identifier_type"), Days: days}))
	}
}

// pageParams are page and limit, 0 for those that are left out.
func pageParams(r *request) (page, limit int, err error) {
	if page, err = queryInt(r, "page", 0, 1, 1_000_000); err == nil {
		limit, err = queryInt(r, "limit", 0, 1, 500)
	}
	return page, limit, err
}

func returningStreakLogs(door *returning.Door) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		page, limit, err := pageParams(r)
		if err != nil {
			return err
		}
		q := r.query()
		return written(w)(door.StreakLogs(r.Context(), r.org, &returning.StreakLogRequest{Identifier: q.Get("identifier"), IdentifierType: q.Get("identifier_type"),
			StreakID: q.Get("streakId"), Page: page, Limit: limit}))
	}
}

func returningStreaks(door *returning.Door) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		page, limit, err := pageParams(r)
		if err != nil {
			return err
		}
		return written(w)(door.Streaks(r.org, page, limit))
	}
}

func (a *API) createReturningStreak(door *returning.Door) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		var in returning.StreakIn
		if err := a.decodeDoor(r, &in); err != nil {
			return err
		}
		out, err := door.CreateStreak(r.Context(), r.org, &in)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusCreated, out)
	}
}

// updateReturningStreak takes the streak's id from the path, or where that has none from the body.
func (a *API) updateReturningStreak(door *returning.Door) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		return asked(a, func(ctx context.Context, org activity.Org, in *returning.StreakIn) (*returning.StreakAnswer, error) {
			id := r.PathValue("id")
			if id == "" {
				id = in.ID
			}
			return door.UpdateStreak(ctx, org, id, in)
		})(w, r)
	}
}
