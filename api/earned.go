package api

import (
	"context"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

// EarnedReads are the reads of what a user has earned.
type EarnedReads interface {
	Wallets(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	Wallet(ctx context.Context, org activity.Org, user activity.User, wallet string, limit int, before string) ([]byte, error)
	Achievements(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	Missions(ctx context.Context, org activity.Org, user activity.User) ([]byte, error)
	KPIs(ctx context.Context, org activity.Org, user activity.User, cycle string) ([]byte, error)
}

// earnedRoutes are those of what a user has earned.
func (a *API) earnedRoutes() []route {
	const one = "/v1/users/{user}"
	return []route{
		{method: http.MethodGet, pattern: one + "/wallets", scope: auth.UsersRead, own: true, serve: a.userObject(a.Reads.Wallets), doc: docGetWallets()},
		{method: http.MethodGet, pattern: one + "/wallets/{wallet}", scope: auth.UsersRead, own: true, serve: a.getWallet, doc: docGetWallet()},
		{method: http.MethodGet, pattern: one + "/achievements", scope: auth.UsersRead, own: true, serve: a.userObject(a.Reads.Achievements), doc: docGetAchievements()},
		{method: http.MethodGet, pattern: one + "/missions", scope: auth.UsersRead, own: true, serve: a.userObject(a.Reads.Missions), doc: docGetMissions()},
		{method: http.MethodPost, pattern: one + "/missions/{mission}/start", scope: auth.UsersWrite, serve: a.startMission, doc: docStartMission()},
		{method: http.MethodGet, pattern: one + "/kpis", scope: auth.UsersRead, own: true, serve: a.getKPIs, doc: docGetKPIs()},
	}
}

func (a *API) getWallet(w http.ResponseWriter, r *request) error {
	limit, err := queryInt(r, "limit", defaultLimit, 1, maxActivities)
	if err != nil {
		return err
	}
	return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
		return a.Reads.Wallet(ctx, org, user, r.PathValue("wallet"), limit, r.query().Get("before"))
	})(w, r)
}

func (a *API) getKPIs(w http.ResponseWriter, r *request) error {
	return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
		return a.Reads.KPIs(ctx, org, user, r.query().Get("cycle"))
	})(w, r)
}

func (a *API) startMission(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	if err := a.Writes.StartMission(r.Context(), r.org, user, r.PathValue("mission")); err != nil {
		return userFault(err)
	}
	object, err := a.Reads.Missions(r.Context(), r.org, user)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}
