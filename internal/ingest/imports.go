package ingest

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

// Import is a load of history: it has no age limit, counts in closed periods, and its events are suppressed. Or it is a job: of users (ImportUsers), with rows for
// items, or of activities whose sender does not wait (ImportActivities).
type Import struct {
	ID         string           `json:"id"`
	Kind       string           `json:"kind,omitempty"` // "": a load of history
	State      string           `json:"state"`          // open, closed; of jobs waiting, running, finished
	CreatedAt  calendar.Instant `json:"created_at"`
	ClosedAt   calendar.Instant `json:"closed_at,omitzero"`
	Accepted   int              `json:"accepted"`
	Duplicates int              `json:"duplicates"`
	Rejected   int              `json:"rejected"`
	Ignored    int              `json:"ignored"`

	// Of jobs: how many rows there are and have been decided, what became of those of users beside Rejected, and why the first 1,000 of them were refused.
	Rows    int        `json:"rows,omitzero"`
	Done    int        `json:"done,omitzero"`
	Created int        `json:"created,omitzero"`
	Updated int        `json:"updated,omitzero"`
	Errors  []RowError `json:"errors,omitempty"`
	// Single says that the job is one activity, not an array of one, and Report is what became of it, once it is finished.
	Single bool    `json:"single,omitempty"`
	Report *Report `json:"report,omitempty"`
	// Alive is when the node that works on it last said so, 0 for none.
	Alive calendar.Instant `json:"alive,omitzero"`
}

// States of an import.
const (
	ImportOpen   = "open"
	ImportClosed = "closed"

	ImportWaiting  = "waiting"
	ImportRunning  = "running"
	ImportFinished = "finished"
)

// Kinds of jobs.
const (
	ImportUsers      = "users"
	ImportActivities = "activities"
)

// CreateImport opens an import.
func (s *Service) CreateImport(ctx context.Context, org activity.Org) (Import, error) {
	if _, _, err := s.Plan(org); err != nil {
		return Import{}, err
	}
	i := Import{ID: rand.Text(), State: ImportOpen, CreatedAt: s.Clock.Now()}
	_, err := s.putImport(ctx, org, i, "")
	return i, err
}

// Import reads an import. ErrImportNotFound.
func (s *Service) Import(ctx context.Context, org activity.Org, id string) (Import, error) {
	i, _, err := s.readImport(ctx, org, id)
	return i, err
}

// CloseImport ends an import; closing it again changes nothing. ErrImportNotFound.
func (s *Service) CloseImport(ctx context.Context, org activity.Org, id string) (Import, error) {
	return s.changeImport(ctx, org, id, func(i *Import) {
		if i.State == ImportOpen {
			i.State, i.ClosedAt = ImportClosed, s.Clock.Now()
		}
	})
}

func (s *Service) checkOpen(ctx context.Context, org activity.Org, id string) error {
	i, err := s.Import(ctx, org, id)
	if err == nil && i.State != ImportOpen {
		err = ErrImportClosed
	}
	return err
}

func (s *Service) noteImport(ctx context.Context, org activity.Org, id string, r *Report) error {
	_, err := s.changeImport(ctx, org, id, func(i *Import) {
		i.Accepted += r.Accepted
		i.Duplicates += r.Duplicates
		i.Rejected += r.Rejected
		i.Ignored += r.Ignored
	})
	return err
}

func (s *Service) changeImport(ctx context.Context, org activity.Org, id string, change func(*Import)) (Import, error) {
	for round := range maxRounds {
		if round > 0 && !giveWay(ctx, round) {
			break
		}
		i, version, err := s.readImport(ctx, org, id)
		if err != nil {
			return Import{}, err
		}
		change(&i)
		if done, err := s.putImport(ctx, org, i, version); done || err != nil {
			return i, err
		}
	}
	return Import{}, ErrConflict
}

// giveWay waits a random moment, on average longer after each race that was lost: many nodes may count for one import at once. False if ctx ends first.
func giveWay(ctx context.Context, round int) bool {
	t := time.NewTimer(mathrand.N(time.Duration(round) * 4 * time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Service) readImport(ctx context.Context, org activity.Org, id string) (Import, store.Version, error) {
	docs, err := s.Store.Docs(ctx, []store.Key{store.ImportKey(org, id)})
	if err != nil {
		return Import{}, "", err
	}
	if docs[0].Version == "" {
		return Import{}, "", ErrImportNotFound
	}
	var i Import
	if err := json.Unmarshal(docs[0].Content, &i); err != nil {
		return Import{}, "", fmt.Errorf("import %s of org %s: %w", id, org, err)
	}
	return i, docs[0].Version, nil
}

func (s *Service) putImport(ctx context.Context, org activity.Org, i Import, expect store.Version) (bool, error) {
	content, err := json.Marshal(i)
	if err != nil {
		return false, err
	}
	r, err := s.Store.Commit(ctx, 0, []store.Group{{Org: org, Doc: store.ImportKey(org, i.ID), Expect: expect, Content: content}})
	return err == nil && r.Outcomes[0].Status == store.Applied, err
}
