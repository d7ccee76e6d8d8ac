package api

import (
	"context"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

// Groups is who is enrolled in target groups.
type Groups interface {
	Enrol(ctx context.Context, org activity.Org, user activity.User, group string, in bool) error
}

func (a *API) groupRoutes() []route {
	const one = "/v1/target-groups/{group}"
	return []route{
		{method: http.MethodGet, pattern: one, scope: auth.BoardsRead, browser: true, serve: a.getGroup, doc: docGetGroup()},
		{method: http.MethodPut, pattern: one + "/users/{user}", scope: auth.UsersWrite, serve: a.enrol(true), doc: docEnrol()},
		{method: http.MethodDelete, pattern: one + "/users/{user}", scope: auth.UsersWrite, serve: a.enrol(false), doc: docUnenrol()},
	}
}

func (a *API) getGroup(w http.ResponseWriter, r *request) error {
	if err := a.await(r); err != nil {
		return err
	}
	object, err := a.Reads.TargetGroup(r.Context(), r.org, r.PathValue("group"))
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

func (a *API) enrol(in bool) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		user, err := pathUser(r)
		if err != nil {
			return err
		}
		if err := a.Writes.Enrol(r.Context(), r.org, user, r.PathValue("group"), in); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// groupDoc is a target group and how many there are in it.
type groupDoc struct {
	TargetGroup string           `json:"target_group" example:"devs"`
	Number      int64            `json:"number,omitempty"`
	Name        string           `json:"name,omitempty"`
	Description string           `json:"description,omitempty"`
	Banner      string           `json:"banner,omitempty"`
	Cycle       string           `json:"cycle,omitempty" doc:"That its rules share"`
	Enrolment   string           `json:"enrolment" enum:"auto,explicit"`
	Leaderboard bool             `json:"leaderboard"`
	Active      bool             `json:"active"`
	Enrolled    int              `json:"enrolled" doc:"Users who are; hidden ones aside. They are the rows of the leaderboard <target group>.enrolled"`
	Pending     bool             `json:"pending,omitempty" doc:"Users are still being enrolled from the activity logs"`
	Rules       []groupMemberDoc `json:"rules" nullable:"false"`
}

type groupMemberDoc struct {
	Rule        string `json:"rule"`
	Streak      bool   `json:"streak,omitempty" doc:"It is a streak, and ranks by its current length"`
	Leaderboard string `json:"leaderboard" doc:"Where its users are ranked: {rule} of GET /v1/leaderboards/{rule}/{period}"`
	Label       string `json:"label,omitempty" doc:"The current period; absent between listed ones"`
	Total       int    `json:"total" doc:"Users on that leaderboard"`
}

func docGetGroup() operation {
	return operation{id: "getTargetGroup", tag: "leaderboards", summary: "Read a target group, and how many users are in it", query: []param{minRevision()},
		responses: []response{ok("The target group", groupDoc{}, `{"target_group":"devs","number":232,"cycle":"month","enrolment":"auto","leaderboard":true,"active":true,"enrolled":42,`+
			`"rules":[{"rule":"commits","leaderboard":"commits","label":"2026-11","total":30},{"rule":"daily-commit","streak":true,"leaderboard":"daily-commit.current","label":"all","total":7}]}`)},
		errors: []string{"org_not_found", "target_group_not_found", "bad_revision", "epoch_changed", "behind", "loading"}}
}

func docEnrol() operation {
	return operation{id: "enrolUser", tag: "users", summary: "Enrol a user in a target group whose enrolment is explicit",
		description: "Doing it twice is fine.", responses: []response{{status: http.StatusNoContent, description: "The user is enrolled"}},
		errors: moderationErrors("target_group_not_found", "enrolment_automatic", "too_many_commands")}
}

func docUnenrol() operation {
	return operation{id: "unenrolUser", tag: "users", summary: "Take a user out of a target group whose enrolment is explicit",
		description: "Doing it twice is fine.", responses: []response{{status: http.StatusNoContent, description: "The user is not enrolled"}},
		errors: moderationErrors("target_group_not_found", "enrolment_automatic")}
}
