package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/closing"
	"laurel/internal/store"
)

// ErrNotFound says that the org has no webhook of that id.
var ErrNotFound = errors.New("no such webhook")

// State is how a webhook does.
type State string

// The states.
const (
	Idle     State = "idle"     // it was published, and no node has taken it up yet
	Sending  State = "active"   // what comes is sent
	Failing  State = "failing"  // the last attempt failed; it is tried again
	Disabled State = "disabled" // nothing is sent until it is enabled again
	Paused   State = "paused"   // its definition says that it is not active
)

// Status is how a webhook does, as of the last time that a node stored it: every 20 s, and whenever something becomes of an event.
type Status struct {
	State       State
	Reason      string // of Disabled: gone (410), or failing (for 5 days)
	Since       calendar.Instant
	Delivered   uint64
	LastSuccess calendar.Instant // 0: never
	LastError   *Failure
	Attempts    int              // since the last success
	Retry       calendar.Instant // of Failing: when
	Lag         time.Duration    // for how long the oldest event has been waiting that is known to
	Gaps        int              // how often events were trimmed before they were sent
	LastGap     calendar.Instant
}

// Status reads how a webhook does. ErrNotFound; errors of the store.
func (s *Service) Status(ctx context.Context, org activity.Org, id string) (Status, error) {
	def, r, _, err := s.stored(ctx, org, id)
	if err != nil {
		return Status{}, err
	}
	out := Status{State: Sending, Reason: r.Disabled, Since: r.FailingSince, Delivered: r.Delivered, LastSuccess: r.LastSuccess, LastError: r.LastError,
		Attempts: r.Attempts, Retry: r.Retry, Gaps: r.Gaps, LastGap: r.LastGap}
	if r.Waiting != 0 {
		out.Lag = max(s.Stamp().Sub(time.UnixMilli(r.Waiting)), 0)
	}
	switch {
	case !def.Active:
		out.State = Paused
	case r.Disabled != "":
		out.State, out.Retry = Disabled, 0
	case r.Attempts > 0:
		out.State = Failing
	case r.Node == "":
		out.State = Idle
	}
	return out, nil
}

// stored reads a webhook's definition, record and version.
func (s *Service) stored(ctx context.Context, org activity.Org, id string) (*catalog.Webhook, *record, store.Version, error) {
	e, ok := s.Registry.Get(org)
	if !ok || e.Catalog.Webhook(id) == nil {
		return nil, nil, "", ErrNotFound
	}
	def := e.Catalog.Webhook(id)
	hooks, err := s.Registry.HookState(ctx, org)
	if err != nil {
		return nil, nil, "", err
	}
	r, v, known, err := s.read(ctx, org, id, def.URL.String(), &hooks)
	if err == nil && !known { // it was removed, and this node has not heard of it
		err = ErrNotFound
	}
	return def, &r, v, err
}

// enableTries bounds how often a change is made again that a node's own overtook.
const enableTries = 8

// Enable has a webhook tried at once, also one that is disabled. It goes on where it stopped, or, with skip, with what comes from now on. ErrNotFound; errors
// of the store.
func (s *Service) Enable(ctx context.Context, org activity.Org, id string, skip bool) error {
	for range enableTries {
		_, r, v, err := s.stored(ctx, org, id)
		if err != nil {
			return err
		}
		r.heal()
		if skip {
			ends, err := s.Registry.EventEnds(ctx)
			if err != nil {
				return err
			}
			r.Cursor, r.Waiting = closing.CursorAt(ends), 0
		}
		if _, ok, err := s.write(ctx, org, id, r, v); ok || err != nil {
			return err
		}
	}
	return store.ErrUnavailable
}

// TypeTest is the type of the event that Test sends.
const TypeTest = "webhook.test"

// Attempt is what became of a test.
type Attempt struct {
	OK     bool
	Status int    // of HTTP; 0: there was no answer
	Detail string // why not
	Took   time.Duration
}

// Test sends an event of the type webhook.test, once and from here. It changes nothing. ErrNotFound, ErrNoSecret; errors of the store.
func (s *Service) Test(ctx context.Context, org activity.Org, id string) (Attempt, error) {
	e, ok := s.Registry.Get(org)
	if !ok || e.Catalog.Webhook(id) == nil {
		return Attempt{}, ErrNotFound
	}
	def := e.Catalog.Webhook(id)
	secrets, err := s.Secrets(ctx, org, def.Secrets, def.SecretEnv)
	if err != nil {
		return Attempt{}, err
	}
	event := "test-" + rand.Text()
	body, err := json.Marshal(testEvent{event, TypeTest, s.Clock.Now(), id})
	if err != nil {
		return Attempt{}, err
	}
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return Attempt{}, err
	}
	defer s.slots.Release(1)
	a := s.send(ctx, def, secrets, message{messageID(event), body})
	return Attempt{a.ok, a.status, a.detail, a.took}, ctx.Err()
}

type testEvent struct {
	ID      string           `json:"id"`
	Type    string           `json:"type"`
	At      calendar.Instant `json:"at"`
	Webhook string           `json:"webhook"`
}

// Secrets are the texts of what a definition signs or verifies with. ErrNoSecret where none is known here; errors of the store.
func (s *Service) Secrets(ctx context.Context, org activity.Org, named []catalog.Secret, env string) ([]string, error) {
	hooks, err := s.Registry.HookState(ctx, org)
	if err != nil {
		return nil, err
	}
	texts := s.secrets(&hooks, named, env)
	if len(texts) == 0 {
		return nil, ErrNoSecret
	}
	return texts, nil
}

// Verify says whether what was sent to a hook is signed as its definition asks for. ErrUnsigned, ErrNoSecret; errors of the store.
func (s *Service) Verify(ctx context.Context, org activity.Org, v *catalog.Verify, header http.Header, body []byte) error {
	secrets, err := s.Secrets(ctx, org, v.Secrets, v.SecretEnv)
	if err != nil {
		return err
	}
	return Verify(v, secrets, header, body, s.Stamp())
}
