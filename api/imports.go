package api

import (
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/ingest"
)

func (a *API) importRoutes() []route {
	const one = "/v1/imports/{id}"
	return []route{
		{method: http.MethodPost, pattern: "/v1/imports", scope: auth.ActivitiesWrite, serve: a.postImport, doc: docPostImport()},
		{method: http.MethodGet, pattern: one, scope: auth.ActivitiesWrite, orScope: auth.UsersWrite, serve: a.getImport, doc: docGetImport()},
		{method: http.MethodPost, pattern: one + "/items", scope: auth.ActivitiesWrite, serve: a.postItems, doc: docPostItems()},
		{method: http.MethodPost, pattern: one + "/close", scope: auth.ActivitiesWrite, serve: a.closeImport, doc: docCloseImport()},
	}
}

// importWire is an import: activities of any age, without events until it is closed; users; or activities whose sender does not wait.
type importWire struct {
	ID         string  `json:"id"`
	Kind       string  `json:"kind,omitempty" enum:"users,activities" doc:"Absent for one of activities of any age; activities: those sent with Prefer: respond-async"`
	State      string  `json:"state" enum:"open,closed,waiting,running,finished" doc:"Of those with a kind: waiting, running, finished"`
	CreatedAt  *string `json:"created_at,omitempty" format:"date-time"`
	ClosedAt   *string `json:"closed_at,omitempty" format:"date-time"`
	Accepted   int     `json:"accepted"`
	Duplicates int     `json:"duplicates"`
	Rejected   int     `json:"rejected"`
	Ignored    int     `json:"ignored"`

	Rows    int               `json:"rows,omitempty" doc:"Of those with a kind: rows in all"`
	Done    int               `json:"done,omitempty" doc:"Of those with a kind: rows that were decided"`
	Created int               `json:"created,omitempty" doc:"Rows that made a user"`
	Updated int               `json:"updated,omitempty" doc:"Rows of users who were there"`
	Errors  []ingest.RowError `json:"errors,omitempty" nullable:"false" doc:"Why rows were refused: the first 1,000"`
	IDs     []activity.ID     `json:"ids,omitempty" nullable:"false" doc:"In the answer to activities sent with Prefer: respond-async: their ids in order, as sent or made here; empty for one that is malformed"`
	Result  *recorded         `json:"result,omitempty" doc:"Of a single activity, once it is recorded: what would have been the answer"`
}

func wireImport(i ingest.Import) importWire {
	out := importWire{ID: i.ID, Kind: i.Kind, State: i.State, CreatedAt: stamp(i.CreatedAt), ClosedAt: stamp(i.ClosedAt), Accepted: i.Accepted,
		Duplicates: i.Duplicates, Rejected: i.Rejected, Ignored: i.Ignored, Rows: i.Rows, Done: i.Done, Created: i.Created, Updated: i.Updated, Errors: i.Errors}
	if i.Report != nil && i.Rejected == 0 {
		out.Result = wireRecorded(i.Report)
	}
	return out
}

func (a *API) postImport(w http.ResponseWriter, r *request) error {
	if err := a.decodeBody(r, &struct{}{}, optional); err != nil {
		return err
	}
	made, err := a.Writes.CreateImport(r.Context(), r.org)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/imports/"+made.ID)
	return writeJSON(w, http.StatusCreated, wireImport(made))
}

func (a *API) getImport(w http.ResponseWriter, r *request) error {
	found, err := a.Writes.Import(r.Context(), r.org, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireImport(found))
}

// postItems takes activities as POST /v1/activities does; one object is a batch of one here.
func (a *API) postItems(w http.ResponseWriter, r *request) error {
	b, err := a.readBatch(r)
	if err != nil {
		return err
	}
	return a.submitBatch(w, r, b.items, ingest.SubmitOptions{Import: r.PathValue("id")})
}

func (a *API) closeImport(w http.ResponseWriter, r *request) error {
	closed, err := a.Writes.CloseImport(r.Context(), r.org, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireImport(closed))
}
