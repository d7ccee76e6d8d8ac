package api

import (
	"errors"
	"net/http"
	"strconv"

	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/streaks"
)

// userPauseRoutes are those of one user's pauses; those of the org are pauseRoutes.
func (a *API) userPauseRoutes() []route {
	const all = "/v1/users/{user}/pauses"
	return []route{
		{method: http.MethodGet, pattern: all, scope: auth.UsersRead, own: true, serve: a.getUserPauses, doc: docGetUserPauses()},
		{method: http.MethodPost, pattern: all, scope: auth.UsersWrite, serve: a.postUserPause, doc: docPostUserPause()},
		{method: http.MethodDelete, pattern: all + "/{id}", scope: auth.UsersWrite, serve: a.deleteUserPause, doc: docDeleteUserPause()},
	}
}

// userPauseSpec is a pause to be made.
type userPauseSpec struct {
	From string `json:"from" format:"date" doc:"The first date, the user's today or later" example:"2026-07-01"`
	To   string `json:"to" format:"date" doc:"The last date, inclusive; at most 366 dates" example:"2026-07-14"`
}

// userPause is a pause of one user.
type userPause struct {
	ID        string  `json:"id" example:"1"`
	From      string  `json:"from" format:"date"`
	To        string  `json:"to" format:"date" doc:"Inclusive"`
	CreatedAt string  `json:"created_at" format:"date-time"`
	EndedAt   *string `json:"ended_at,omitempty" format:"date-time" doc:"It was ended then; absent where it was not"`
	EndedOn   string  `json:"ended_on,omitempty" format:"date" doc:"Of one that was ended: its last date; absent where it never began"`
}

// userPauseList is every pause of a user.
type userPauseList struct {
	Pauses []userPause `json:"pauses" nullable:"false" doc:"In the order in which they were made"`
}

func wireUserPause(p *streaks.Pause) userPause {
	out := userPause{ID: strconv.FormatUint(uint64(p.ID), 10), From: p.From.String(), To: p.To.String(), CreatedAt: p.At.String(), EndedAt: stamp(p.CutAt)}
	if p.CutAt != 0 && p.Until() >= p.From {
		out.EndedOn = p.Until().String()
	}
	return out
}

func (a *API) getUserPauses(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	pauses, err := a.Reads.Pauses(r.Context(), r.org, user)
	if err != nil {
		return err
	}
	list := userPauseList{Pauses: make([]userPause, len(pauses))}
	for i := range pauses {
		list.Pauses[i] = wireUserPause(&pauses[i])
	}
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) postUserPause(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	var in userPauseSpec
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	from, err := pauseDate("from", in.From)
	if err != nil {
		return err
	}
	to, err := pauseDate("to", in.To)
	if err != nil {
		return err
	}
	p, err := a.Writes.Pause(r.Context(), r.org, user, from, to)
	if err != nil {
		return userPauseFault(err)
	}
	return writeJSON(w, http.StatusCreated, wireUserPause(&p))
}

// pauseDate reads one end of a user's pause.
func pauseDate(field, text string) (calendar.Date, error) {
	d, err := calendar.ParseDate(text)
	if err != nil {
		return 0, badRequest(field, "This must be a date such as 2026-07-01.")
	}
	return d, nil
}

// userPauseFault names the member that is at fault.
func userPauseFault(err error) error {
	switch {
	case errors.Is(err, progress.ErrPausePast):
		return &fault{code: "bad_pause", field: "from", detail: "A pause begins today, by the user's date, or later."}
	case errors.Is(err, progress.ErrPauseRange):
		return &fault{code: "bad_pause", field: "to", detail: "A pause ends on the date it begins or later, has at most " + itoa(progress.MaxPause) +
			" dates, and begins within " + itoa(progress.MaxPause) + " days."}
	}
	return err
}

func (a *API) deleteUserPause(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	text := r.PathValue("id")
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || strconv.FormatUint(id, 10) != text {
		id = 0 // which none has; of a user who is not there that is said first
	}
	if err := a.Writes.Unpause(r.Context(), r.org, user, uint32(id)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
