package api

import (
	"net/http"
	"testing"
)

// TestBodyBudget_TurnsAwayWhatDoesNotFit: bodies that are being taken in count by what they announced, and are let go of afterwards.
func TestBodyBudget_TurnsAwayWhatDoesNotFit(t *testing.T) {
	g := newRig(t)
	const item = `{"user":"ada","name":"commit"}`
	if !g.api.bodies.TryAcquire(bodyBudget - int64(len(item))) {
		t.Fatal("the budget is taken before anything came")
	}
	if r := g.call(http.MethodPost, "/v1/activities", item); r.Code != http.StatusCreated {
		t.Errorf("what just fits: %d", r.Code)
	}
	r := g.call(http.MethodPost, "/v1/activities", item+" ")
	if r.Code != http.StatusTooManyRequests || r.Header().Get("Retry-After") == "" {
		t.Errorf("one byte more: %d, Retry-After %q", r.Code, r.Header().Get("Retry-After"))
	}
	unknown := func(r *http.Request) { r.ContentLength = -1 }
	if r := g.call(http.MethodPost, "/v1/activities", item, unknown); r.Code != http.StatusTooManyRequests {
		t.Errorf("unknown length: %d", r.Code)
	}
	g.api.bodies.Release(bodyBudget - int64(len(item)))
	if r := g.call(http.MethodPost, "/v1/activities", item, unknown); r.Code != http.StatusCreated {
		t.Errorf("afterwards: %d", r.Code)
	}
}
