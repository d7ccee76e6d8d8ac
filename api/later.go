package api

import (
	"net/http"
	"strings"

	"laurel/internal/activity"
)

const respondAsync = "respond-async" // RFC 7240, section 4.1

// prefersAsync says that the client does not want to wait.
func prefersAsync(r *request) bool {
	for _, line := range r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(preference, ";")
			if strings.EqualFold(strings.TrimSpace(name), respondAsync) {
				return true
			}
		}
	}
	return false
}

// submitLater stores activities and says where to look for what becomes of them.
func (a *API) submitLater(w http.ResponseWriter, r *request, b batch) error {
	if _, err := wantsAll(r); err != nil {
		return err
	}
	made, err := a.Writes.SubmitLater(r.Context(), r.org, b.items, b.single)
	if err != nil {
		return err
	}
	answer := wireImport(made)
	answer.IDs = make([]activity.ID, len(b.items))
	for i := range b.items {
		answer.IDs[i] = b.items[i].Activity.ID
	}
	w.Header().Set("Location", "/v1/imports/"+made.ID)
	w.Header().Set("Preference-Applied", respondAsync)
	return writeJSON(w, http.StatusAccepted, answer)
}
