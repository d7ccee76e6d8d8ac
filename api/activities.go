package api

import (
	"errors"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/ingest"
)

const maxReason = 256

func (a *API) activityRoutes() []route {
	const one = "/v1/activities/{user}/{id}"
	return []route{
		{method: http.MethodPost, pattern: "/v1/activities", scope: auth.ActivitiesWrite, serve: a.postActivities, doc: docPostActivities()},
		{method: http.MethodGet, pattern: one, scope: auth.UsersRead, serve: a.getActivity, doc: docGetActivity()},
		{method: http.MethodPost, pattern: one + "/reject", scope: auth.ActivitiesWrite, serve: a.postReject, doc: docReject()},
		{method: http.MethodPost, pattern: one + "/restore", scope: auth.ActivitiesWrite, serve: a.postRestore, doc: docRestore()},
	}
}

// postActivities takes one activity, an array, or a line for each.
func (a *API) postActivities(w http.ResponseWriter, r *request) error {
	b, err := a.readBatch(r)
	if err != nil {
		return err
	}
	if prefersAsync(r) && (!b.single || b.items[0].Err == nil) {
		return a.submitLater(w, r, b)
	}
	if b.single {
		if _, err := wantsAll(r); err != nil { // it changes nothing here, but a wrong one is a mistake all the same
			return err
		}
		return a.submitOne(w, r, b.items)
	}
	return a.submitBatch(w, r, b.items, ingest.SubmitOptions{})
}

func (a *API) readBatch(r *request) (b batch, err error) {
	f, err := formatOf(r, formatJSON, formatNDJSON)
	if err != nil {
		return batch{}, err
	}
	err = a.withBody(r, func(body []byte) error {
		b, err = a.decodeBatch(body, f)
		return err
	})
	return b, err
}

// submitBatch answers for every item. Where the store fails midway, what is known so far goes along with the problem.
func (a *API) submitBatch(w http.ResponseWriter, r *request, items []ingest.Item, o ingest.SubmitOptions) error {
	all, err := wantsAll(r)
	if err != nil {
		return err
	}
	out, err := a.Writes.Submit(r.Context(), r.org, items, o)
	switch {
	case err != nil && len(out.Outcomes) > 0:
		return &partial{err: err, report: out}
	case err != nil:
		return err
	}
	return a.writeAppended(w, http.StatusOK, batchResult{report: &out, all: all})
}

// wantsAll reads ?results=, which may be all or absent.
func wantsAll(r *request) (bool, error) {
	switch r.query().Get("results") {
	case "all":
		return true, nil
	case "":
		return false, nil
	}
	return false, badRequest("results", "This may be all or absent.")
}

// partial is a batch that the store failed in the middle of.
type partial struct {
	err    error
	report ingest.Report
}

func (p *partial) Error() string { return "batch stored in part: " + p.err.Error() }
func (p *partial) Unwrap() error { return p.err }

// extend puts what became of the items so far into the problem document.
func (p *partial) extend(doc *problem) {
	doc.Accepted, doc.Duplicates, doc.Rejected, doc.Ignored = &p.report.Accepted, &p.report.Duplicates, &p.report.Rejected, &p.report.Ignored
	doc.Results = batchResult{report: &p.report, all: true}.appendResults(nil)
}

// refusal is an item that came alone and was refused.
type refusal struct{ item *ingest.ItemError }

func (e *refusal) Error() string { return "activity refused: " + e.item.Code }

// submitOne answers for a single activity with its effects.
func (a *API) submitOne(w http.ResponseWriter, r *request, items []ingest.Item) error {
	if items[0].Err != nil {
		return &refusal{items[0].Err}
	}
	out, err := a.Writes.Submit(r.Context(), r.org, items, ingest.SubmitOptions{Effects: true})
	if err != nil {
		return err
	}
	switch o := &out.Outcomes[0]; o.Status {
	case ingest.StatusRejected:
		if o.Err == nil {
			return errors.New("an item was rejected without a reason")
		}
		return &refusal{o.Err}
	case ingest.StatusDuplicate:
		return writeJSON(w, http.StatusOK, wireRecorded(&out))
	}
	return writeJSON(w, http.StatusCreated, wireRecorded(&out))
}

// wireRecorded is what became of a single activity that was not refused.
func wireRecorded(out *ingest.Report) *recorded {
	o := &out.Outcomes[0]
	answer := &recorded{ID: o.ID, Status: o.Status, Durability: string(out.Durability), Revision: out.Revision}
	if o.Activity != nil {
		answer.Activity = wireActivity(o.Activity)
	}
	if o.Status == ingest.StatusDuplicate {
		return answer
	}
	answer.Effects = wireEffects(o.Effects)
	for _, p := range o.ClosedFor {
		answer.ClosedFor = append(answer.ClosedFor, closedFor(p))
	}
	return answer
}

// recorded is the answer to a single activity.
type recorded struct {
	ID         activity.ID   `json:"id" example:"c1"`
	Status     string        `json:"status" enum:"accepted,duplicate,ignored"`
	Activity   *activityWire `json:"activity,omitempty"`
	Effects    *effectsWire  `json:"effects,omitempty" doc:"What the activity changed; absent for a duplicate"`
	ClosedFor  []closedFor   `json:"closed_for,omitempty" nullable:"false" doc:"Periods in which it came too late to count; it counts everywhere else"`
	Durability string        `json:"durability" enum:"memory,everysec,fsync,replicated" doc:"What the activity has survived to"`
	Revision   string        `json:"revision" doc:"Opaque: pass it as min_revision to read what this wrote"`
}

// closedFor is a period in which an activity came too late to count.
type closedFor struct {
	Rule  string `json:"rule" example:"commits"`
	Label string `json:"label" example:"2026-W41"`
}

func (a *API) getActivity(w http.ResponseWriter, r *request) error {
	user, id, err := pathActivity(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	found, err := a.Writes.Activity(r.Context(), r.org, user, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireActivity(found))
}

// rejection is the body of reject; it may be left out.
type rejection struct {
	Reason string `json:"reason,omitempty" maxLength:"256" doc:"Kept with the activity"`
}

func (a *API) postReject(w http.ResponseWriter, r *request) error {
	user, id, err := pathActivity(r)
	if err != nil {
		return err
	}
	var in rejection
	if err := a.decodeBody(r, &in, optional); err != nil {
		return err
	}
	if len(in.Reason) > maxReason || hasControl([]byte(in.Reason)) {
		return badRequest("reason", "This may be up to 256 bytes without control characters.")
	}
	found, err := a.Writes.Reject(r.Context(), r.org, user, id, in.Reason)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireActivity(found))
}

func (a *API) postRestore(w http.ResponseWriter, r *request) error {
	user, id, err := pathActivity(r)
	if err != nil {
		return err
	}
	found, err := a.Writes.Restore(r.Context(), r.org, user, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireActivity(found))
}
