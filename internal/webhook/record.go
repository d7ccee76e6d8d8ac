package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/closing"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// record is the content of a webhook's document.
type record struct {
	From   string `json:"from"`   // the cursor that it was published with: another one is of another webhook with the id
	Target string `json:"target"` // the URL that its failures are of
	Cursor string `json:"cursor"` // behind which events are still to be sent

	Node  string           `json:"node,omitempty"` // who sends, until
	Until calendar.Instant `json:"until,omitzero"`

	Disabled     string           `json:"disabled,omitempty"` // why; "": it is not
	FailingSince calendar.Instant `json:"failing_since,omitzero"`
	Attempts     int              `json:"attempts,omitzero"` // without a success since then
	Retry        calendar.Instant `json:"retry_at,omitzero"`

	Delivered   uint64           `json:"delivered,omitzero"`
	LastSuccess calendar.Instant `json:"last_success,omitzero"`
	LastError   *Failure         `json:"last_error,omitempty"`
	Gaps        int              `json:"gaps,omitzero"` // how often events were trimmed that had not been sent
	LastGap     calendar.Instant `json:"last_gap,omitzero"`
	// Waiting is when the oldest event was appended that is known to wait, in ms of the store's clock; 0: none is.
	Waiting int64 `json:"waiting,omitzero"`
}

// Failure is why an event did not arrive.
type Failure struct {
	At     calendar.Instant `json:"at"`
	Status int              `json:"status,omitzero"` // of HTTP; 0: there was no answer
	Detail string           `json:"detail"`
}

// Why a webhook is disabled.
const (
	disabledGone    = "gone"
	disabledFailing = "failing"
)

// failed notes that a message did not arrive.
func (r *record) failed(now calendar.Instant, a *answer, progress bool, wait time.Duration) {
	if r.FailingSince == 0 || progress {
		r.FailingSince, r.Attempts = now, 0
	}
	r.Attempts++
	r.LastError = &Failure{At: now, Status: a.status, Detail: a.detail}
	r.Retry = now + calendar.Instant(max(wait, a.retryAfter).Milliseconds())
	switch {
	case a.gone:
		r.Disabled = disabledGone
	case now-r.FailingSince >= calendar.Instant(giveUpAfter.Milliseconds()):
		r.Disabled = disabledFailing
	}
	if r.Disabled != "" {
		r.release()
	}
}

// heal forgets what failed.
func (r *record) heal() { r.FailingSince, r.Attempts, r.Retry, r.Disabled = 0, 0, 0, "" }

func (r *record) release() { r.Node, r.Until = "", 0 }

// read gives a webhook's record as it is stored, or as it begins, and the version for its next commit. known is false for a webhook that was not published.
func (s *Service) read(ctx context.Context, org activity.Org, id, target string, hooks *registry.HookState) (r record, v store.Version, known bool, err error) {
	begins, known := hooks.From[id]
	if !known {
		return r, "", false, nil
	}
	docs, err := s.Store.Docs(ctx, []store.Key{store.WebhookKey(org, id)})
	if err != nil {
		return r, "", false, err
	}
	if v = docs[0].Version; v != "" {
		if err := json.Unmarshal(docs[0].Content, &r); err != nil {
			return r, "", false, fmt.Errorf("webhook %s of org %s: %w", id, org, err)
		}
	}
	if from := closing.CursorAt(begins); r.From != from {
		r = record{From: from, Cursor: from, Target: target}
	}
	if r.Target != target { // what failed there says nothing of here
		r.heal()
		r.Target = target
	}
	return r, v, true, nil
}

// commitTimeout bounds a commit that is made although the node stops.
const commitTimeout = 5 * time.Second

// write stores a record in the place of the one with the version; ok is false where that is not there any more.
func (s *Service) write(ctx context.Context, org activity.Org, id string, r *record, expect store.Version) (v store.Version, ok bool, err error) {
	content, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return "", false, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	result, err := s.Store.Commit(ctx, 0, []store.Group{{Org: org, Doc: store.WebhookKey(org, id), Expect: expect, Content: content}})
	if err != nil {
		return "", false, err
	}
	return result.Version, result.Outcomes[0].Status == store.Applied, nil
}
