package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/query"
	"laurel/streaks"
)

// StreakCommands are what is ordered for a user's streaks.
type StreakCommands interface {
	GrantFreezes(ctx context.Context, org activity.Org, user activity.User, rule string, n int) (granted int, err error)
	StartMission(ctx context.Context, org activity.Org, user activity.User, mission string) error
	RestoreStreak(ctx context.Context, org activity.Org, user activity.User, rule, reason string) error
	SetStreak(ctx context.Context, org activity.Org, user activity.User, rule string, c ingest.StreakChange) error
	Pause(ctx context.Context, org activity.Org, user activity.User, from, to calendar.Date) (streaks.Pause, error)
	Unpause(ctx context.Context, org activity.Org, user activity.User, id uint32) error
}

// StreakReads are the reads of one user's streaks and what was ordered for them.
type StreakReads interface {
	Streak(ctx context.Context, org activity.Org, user activity.User, rule string, at *calendar.Instant) ([]byte, error)
	Freezes(ctx context.Context, org activity.Org, user activity.User, rule string) (held, most int, err error)
	History(ctx context.Context, org activity.Org, user activity.User, rule string, in query.Range) ([]byte, error)
	Past(ctx context.Context, org activity.Org, user activity.User, rule string, limit int) ([]byte, error)
	Explain(ctx context.Context, org activity.Org, user activity.User, rule string, in query.Range) ([]byte, error)
	Audit(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	Preview(ctx context.Context, org activity.Org, user activity.User, c *catalog.Catalog, rule string, at *calendar.Instant) ([]byte, error)
	Pauses(ctx context.Context, org activity.Org, user activity.User) ([]streaks.Pause, error)
}

const maxGrant = 100

// streakRoutes are those of one streak of one user.
func (a *API) streakRoutes() []route {
	const one = "/v1/users/{user}/streaks/{rule}"
	return []route{
		{method: http.MethodGet, pattern: one, scope: auth.UsersRead, own: true, serve: a.getStreak, doc: docGetStreak()},
		{method: http.MethodPatch, pattern: one, scope: auth.UsersWrite, serve: a.patchStreak, doc: docPatchStreak()},
		{method: http.MethodPost, pattern: one + "/freezes", scope: auth.UsersWrite, serve: a.postFreezes, doc: docPostFreezes()},
		{method: http.MethodPost, pattern: one + "/restore", scope: auth.UsersWrite, serve: a.postStreakRestore, doc: docPostStreakRestore()},
	}
}

func (a *API) getStreak(w http.ResponseWriter, r *request) error {
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
	return a.writeStreak(w, r, user, at)
}

func (a *API) writeStreak(w http.ResponseWriter, r *request, user activity.User, at *calendar.Instant) error {
	object, err := a.Reads.Streak(r.Context(), r.org, user, r.PathValue("rule"), at)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

// grant is how many freezes are to be given.
type grant struct {
	Count int `json:"count" minimum:"1" maximum:"100" example:"2"`
}

// granted is how many were.
type granted struct {
	Requested int `json:"requested"`
	Granted   int `json:"granted" doc:"Fewer than requested where more would have been above max"`
	Held      int `json:"held" doc:"That the user has now"`
	Max       int `json:"max" doc:"That a user may have at once"`
}

func (a *API) postFreezes(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	var in grant
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	if in.Count < 1 || in.Count > maxGrant {
		return badRequest("count", "This must be an integer from 1 to "+itoa(maxGrant)+".")
	}
	rule := r.PathValue("rule")
	out := granted{Requested: in.Count}
	if out.Granted, err = a.Writes.GrantFreezes(r.Context(), r.org, user, rule, in.Count); err != nil {
		return err
	}
	if out.Held, out.Max, err = a.Reads.Freezes(r.Context(), r.org, user, rule); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, out)
}

// restoration is the body of a restore.
type restoration struct {
	Reason string `json:"reason,omitempty" maxLength:"256" doc:"Up to 256 bytes, for the audit" example:"The app could not be reached"`
}

func (a *API) postStreakRestore(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	var in restoration
	if err := a.decodeBody(r, &in, optional); err != nil {
		return err
	}
	if len(in.Reason) > maxReason || hasControl([]byte(in.Reason)) {
		return badRequest("reason", "This must be at most "+itoa(maxReason)+" bytes without control characters.")
	}
	if err := a.Writes.RestoreStreak(r.Context(), r.org, user, r.PathValue("rule"), in.Reason); err != nil {
		return err
	}
	return a.writeStreak(w, r, user, nil)
}

// streakChange is the body of PATCH.
type streakChange struct {
	Target   nullable[float64] `json:"target,omitzero" doc:"The user's own, from the next period on; null for the rule's"`
	OptedOut *bool             `json:"opted_out,omitempty" nullable:"false" doc:"Whether the user wants no such streak"`
}

func (a *API) patchStreak(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	var in streakChange
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	change := ingest.StreakChange{SetTarget: in.Target.given, OptedOut: in.OptedOut}
	if in.Target.value != nil {
		if change.Target, err = a.scaledTarget(r, *in.Target.value); err != nil {
			return err
		}
	}
	if err := a.Writes.SetStreak(r.Context(), r.org, user, r.PathValue("rule"), change); err != nil {
		return targetFault(err)
	}
	return a.writeStreak(w, r, user, nil)
}

// scaledTarget is a target in the decimals of the rule's condition; of a rule that there is not, the write path says so.
func (a *API) scaledTarget(r *request, target float64) (*int64, error) {
	decimals := 0
	if e, ok := a.Registry.Get(r.org); ok {
		if rule := e.Catalog.Streak(r.PathValue("rule")); rule != nil {
			decimals = rule.Conditions[0].Decimals
		}
	}
	n, err := catalog.Round(target, decimals)
	if back, _ := strconv.ParseFloat(string(catalog.FormatScaled(nil, n, decimals)), 64); err != nil || back != target {
		return nil, &fault{code: "target_out_of_range", field: "target", detail: "This must be a number of at most " + itoa(decimals) + " decimals."}
	}
	return &n, nil
}

// targetFault names the member that is at fault.
func targetFault(err error) error {
	switch {
	case errors.Is(err, progress.ErrNoOwnTarget):
		return &fault{code: "target_not_allowed", field: "target", detail: "The streak rule has no user_target."}
	case errors.Is(err, progress.ErrTargetRange):
		return &fault{code: "target_out_of_range", field: "target", detail: "Users may raise the target up to the max of user_target, and not lower it."}
	}
	return err
}
