package api

import (
	"context"
	"errors"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/registry"
	"laurel/streaks"
)

// Outages are the pauses of an org as a whole: ranges of time in which nobody's streak can be missed.
type Outages interface {
	DeclareOutage(ctx context.Context, org activity.Org, from, to calendar.Instant, reason string) (streaks.Outage, error)
	WithdrawOutage(ctx context.Context, org activity.Org, id string) error
	Outages(org activity.Org) ([]streaks.Outage, error)
}

// pauseRoutes are the routes of Outages.
func (a *API) pauseRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/v1/pauses", scope: auth.UsersRead, serve: a.getPauses, doc: docGetPauses()},
		{method: http.MethodPost, pattern: "/v1/pauses", scope: auth.UsersWrite, serve: a.postPause, doc: docPostPause()},
		{method: http.MethodDelete, pattern: "/v1/pauses/{id}", scope: auth.UsersWrite, serve: a.deletePause, doc: docDeletePause()},
	}
}

// pauseSpec is a pause to be declared.
type pauseSpec struct {
	From   string `json:"from" format:"date-time" doc:"Also in the past, as far as the org keeps activities one by one" example:"2026-11-20T22:00:00Z"`
	To     string `json:"to" format:"date-time" doc:"Exclusive; at most 90 days after from and 365 days ahead" example:"2026-11-21T03:30:00Z"`
	Reason string `json:"reason,omitempty" maxLength:"256" doc:"Up to 256 bytes, for those who read the list" example:"The server was down"`
}

// pauseWire is a pause as declared.
type pauseWire struct {
	ID        string  `json:"id" example:"XG4Q7WPFB2T5J6SOYLRDNKHM3A"`
	From      string  `json:"from" format:"date-time"`
	To        string  `json:"to" format:"date-time" doc:"Exclusive"`
	Reason    string  `json:"reason,omitempty"`
	CreatedAt string  `json:"created_at" format:"date-time"`
	RemovedAt *string `json:"removed_at,omitempty" format:"date-time" doc:"Taken back then, and without effect; absent while it stands"`
}

// pauseList is every pause of the org.
type pauseList struct {
	Pauses []pauseWire `json:"pauses" nullable:"false" doc:"In the order in which they were declared"`
}

func wirePause(o *streaks.Outage) pauseWire {
	return pauseWire{ID: o.ID, From: o.From.String(), To: o.To.String(), Reason: o.Reason, CreatedAt: o.At.String(), RemovedAt: stamp(o.RemoveAt)}
}

func (a *API) getPauses(w http.ResponseWriter, r *request) error {
	outages, err := a.Writes.Outages(r.org)
	if err != nil {
		return err
	}
	list := pauseList{Pauses: make([]pauseWire, len(outages))}
	for i := range outages {
		list.Pauses[i] = wirePause(&outages[i])
	}
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) postPause(w http.ResponseWriter, r *request) error {
	var in pauseSpec
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	from, err := pauseTime("from", in.From)
	if err != nil {
		return err
	}
	to, err := pauseTime("to", in.To)
	if err != nil {
		return err
	}
	o, err := a.Writes.DeclareOutage(r.Context(), r.org, from, to, in.Reason)
	if err != nil {
		return pauseFault(err)
	}
	return writeJSON(w, http.StatusCreated, wirePause(&o))
}

// pauseTime reads one end of a pause.
func pauseTime(field, text string) (calendar.Instant, error) {
	i, _, err := calendar.ParseInstant(text)
	if err != nil {
		return 0, badRequest(field, "This must be an RFC 3339 time with an offset, from 1970 on, such as 2026-11-21T19:40:00Z.")
	}
	return i, nil
}

// pauseFault names the member that is at fault.
func pauseFault(err error) error {
	bad, ok := errors.AsType[*registry.OutageError](err)
	if !ok {
		return err
	}
	code := "bad_request"
	if errors.Is(bad, registry.ErrOutageSealed) {
		code = "sealed"
	}
	return &fault{code: code, field: bad.Field, detail: bad.Detail}
}

func (a *API) deletePause(w http.ResponseWriter, r *request) error {
	if err := a.Writes.WithdrawOutage(r.Context(), r.org, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
