package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// An import of users is a job. Its rows are stored before it is answered, in parts; any node takes it up, decides a part, and writes down how far it has come, by commits
// of the import's document that expect the version before. So a crash, or a second node that takes the first for dead, has rows of one part decided again, which changes
// nothing, and counts none twice. The last commit removes the rows.
const (
	userImportPart  = 256
	userImportLanes = 16                       // users who are decided at once
	userImportEvery = 5 * time.Second          // between looks for imports that nobody works on
	userImportClaim = calendar.Instant(30_000) // ms since a node that works on an import said so
	maxUserImports  = 100                      // that wait, or are worked on, in all orgs
	maxRowErrors    = 1000
)

// UserRow is one row of an import of users. With Err set the row itself was malformed: it is reported and not applied.
type UserRow struct {
	Line   int           `json:"line"` // of the body, from 1
	User   activity.User `json:"user"`
	Change UserChange    `json:"change"`
	Err    *ItemError    `json:"err,omitempty"`
}

// RowError says why a row was refused, for the client.
type RowError struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// ImportUsers stores rows and returns; each is then applied as SetUser does, in order for one user, and for users who want the same value. Rows that are refused because another user has a value are tried
// again when the others of their part have been decided. ErrOverloaded where too many imports wait; registry.ErrOrgNotFound; store.ErrTooLarge.
func (s *Service) ImportUsers(ctx context.Context, org activity.Org, rows []UserRow) (Import, error) {
	if _, _, err := s.Plan(org); err != nil {
		return Import{}, err
	}
	jobs, err := s.Store.Hash(ctx, store.JobsKey())
	if err != nil {
		return Import{}, err
	}
	if len(jobs) >= maxUserImports {
		return Import{}, ErrOverloaded
	}
	i := Import{ID: rand.Text(), Kind: ImportUsers, State: ImportWaiting, CreatedAt: s.Clock.Now(), Rows: len(rows)}
	if err := s.storeUserImport(ctx, org, i, rows); err != nil {
		return Import{}, err
	}
	select {
	case s.userImports <- struct{}{}:
	default: // the worker is about to look anyway
	}
	return i, nil
}

// storeUserImport stores an import and its rows.
func (s *Service) storeUserImport(ctx context.Context, org activity.Org, i Import, rows []UserRow) error {
	content, err := json.Marshal(i)
	if err != nil {
		return err
	}
	g := store.Group{Org: org, Doc: store.ImportKey(org, i.ID), Content: content}
	for part := range slices.Chunk(rows, userImportPart) {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		g.Writes = append(g.Writes, store.Op{Kind: store.OpSet, Key: store.ImportPartKey(org, i.ID, len(g.Writes)), Args: []string{string(text)}})
	}
	g.Writes = append(g.Writes, store.Op{Kind: store.OpHSet, Key: store.JobsKey(), Args: []string{jobName(org, i.ID), strconv.FormatInt(int64(i.CreatedAt), 10)}})
	_, err = s.Store.Commit(ctx, 0, []store.Group{g})
	return err
}

// jobName is the import's field in the hash of jobs. Orgs have no colon.
func jobName(org activity.Org, id string) string { return string(org) + ":" + id }

// runUserImports works off imports of users, one at a time, until ctx ends.
func (s *Service) runUserImports(ctx context.Context) error {
	tick := time.NewTicker(userImportEvery)
	defer tick.Stop()
	for {
		if err := s.workOffUserImports(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn().Err(err).Msg("an import of users was interrupted; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.userImports:
		}
	}
}

// workOffUserImports works on all imports that no other node works on, the oldest first.
func (s *Service) workOffUserImports(ctx context.Context) error {
	jobs, err := s.Store.Hash(ctx, store.JobsKey())
	if err != nil {
		return err
	}
	names := make([]string, 0, len(jobs))
	for name := range jobs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(jobs[a], jobs[b]), cmp.Compare(a, b)) })
	for _, name := range names {
		org, id, _ := strings.Cut(name, ":")
		if err := s.workOffUserImport(ctx, activity.Org(org), id); err != nil {
			return fmt.Errorf("import %s of users of org %s: %w", id, org, err)
		}
	}
	return nil
}

// userImport is an import that this node works on.
type userImport struct {
	*Service
	job     Import
	org     activity.Org
	version store.Version
}

func (s *Service) workOffUserImport(ctx context.Context, org activity.Org, id string) error {
	i, version, err := s.readImport(ctx, org, id)
	if errors.Is(err, ErrImportNotFound) || err == nil && (i.State == ImportFinished || s.Clock.Now() < i.Alive+userImportClaim) {
		return nil // finished just now, or another node's
	}
	if err != nil {
		return err
	}
	w := &userImport{Service: s, job: i, org: org, version: version}
	w.job.State, w.job.Alive = ImportRunning, s.Clock.Now()
	for mine, err := w.save(ctx); ; mine, err = w.save(ctx) {
		if err != nil || !mine || w.job.State == ImportFinished {
			return err
		}
		if err := w.nextPart(ctx); err != nil {
			w.job.Alive = 0 // whoever comes next may go on at once
			_, left := w.save(context.WithoutCancel(ctx))
			return errors.Join(err, left)
		}
	}
}

// save writes down how far the import has come; not mine: another node has taken it up.
func (w *userImport) save(ctx context.Context) (mine bool, err error) {
	content, err := json.Marshal(w.job)
	if err != nil {
		return false, err
	}
	g := store.Group{Org: w.org, Doc: store.ImportKey(w.org, w.job.ID), Expect: w.version, Content: content}
	if w.job.State == ImportFinished {
		for n := 0; n*userImportPart < w.job.Rows; n++ {
			g.Writes = append(g.Writes, store.Op{Kind: store.OpDel, Key: store.ImportPartKey(w.org, w.job.ID, n)})
		}
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHDel, Key: store.JobsKey(), Args: []string{jobName(w.org, w.job.ID)}})
	}
	r, err := w.Store.Commit(ctx, 0, []store.Group{g})
	if err != nil {
		return false, err
	}
	w.version = r.Version
	return r.Outcomes[0].Status == store.Applied, nil
}

// nextPart decides the rows of the next part, and counts them. An error says that nothing of it is counted.
func (w *userImport) nextPart(ctx context.Context) error {
	if w.job.Done < w.job.Rows {
		text, err := w.Store.Text(ctx, store.ImportPartKey(w.org, w.job.ID, w.job.Done/userImportPart))
		if err != nil {
			return err
		}
		var rows []UserRow
		if err := json.Unmarshal([]byte(text), &rows); err != nil {
			return fmt.Errorf("rows after %d: %w", w.job.Done, err)
		}
		if err := w.decide(ctx, rows); err != nil {
			return err
		}
		w.job.Done += len(rows)
	}
	if w.job.Alive = w.Clock.Now(); w.job.Done == w.job.Rows {
		w.job.State, w.job.ClosedAt, w.job.Alive = ImportFinished, w.Clock.Now(), 0
	}
	return nil
}

// rowError puts what a row is refused for into the client's terms; nil for what is no fault of the row.
func rowError(line int, err error) *RowError {
	var wrong *ProfileError
	var taken *TakenError
	e := &RowError{Line: line, Code: "bad_request", Detail: Detail(err)}
	switch {
	case errors.As(err, &taken):
		e.Code, e.Field = "taken", taken.Field
	case errors.As(err, &wrong):
		e.Field, e.Detail = wrong.Field, wrong.Detail
	case errors.Is(err, ErrBadZone):
		e.Field, e.Detail = "timezone", "This must be the name of an IANA time zone, such as Europe/Vienna."
	case errors.Is(err, ErrUserMerged):
		e.Code, e.Field = "user_merged", "id"
	case errors.Is(err, progress.ErrZoneChanges):
		e.Code, e.Field, e.Detail = "too_many_zone_changes", "timezone", "The user's zone was changed too often within a day."
	case errors.Is(err, progress.ErrTooManyCommands):
		e.Code, e.Detail = "too_many_commands", "As much was ordered for this user as may be."
	case errors.Is(err, ErrConflict):
		e.Code, e.Detail = "unavailable", "Others kept changing the user meanwhile; send the row again."
	default:
		return nil
	}
	return e
}
