package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

// An import of users, and activities whose sender does not wait, are jobs. A job's rows are stored before it is answered, in parts; any node takes it up, decides a part, and
// writes down how far it has come, by commits of its document that expect the version before. So a crash, or a second node that takes the first for dead, has rows of one part
// decided again, which changes nothing, and counts none twice. The last commit removes the rows; the document goes later.
const (
	jobPart      = 256                      // rows
	jobEvery     = 5 * time.Second          // between looks for jobs that nobody works on
	jobClaim     = calendar.Instant(30_000) // ms since a node that works on a job said so
	maxJobs      = 100                      // that wait, or are worked on, in all orgs
	maxEnded     = 10_000                   // that can be looked at when they have ended, in all orgs
	endedPage    = 256                      // ended ones that are removed together
	maxRowErrors = 1000
)

// jobsKept is for how long, in ms, ended jobs of each kind can be looked at.
func jobsKept(kind string) calendar.Instant {
	if kind == ImportUsers {
		return 30 * 24 * 3600_000
	}
	return 3600_000
}

// putJob stores a job and its rows, and has it worked off. ErrOverloaded where too many wait; registry.ErrOrgNotFound; store.ErrTooLarge.
func putJob[R any](ctx context.Context, s *Service, org activity.Org, i Import, rows []R) error {
	if _, _, err := s.Plan(org); err != nil {
		return err
	}
	jobs, err := s.Store.Hash(ctx, store.JobsKey())
	if err != nil {
		return err
	}
	if len(jobs) >= maxJobs {
		return ErrOverloaded
	}
	if err := storeJob(ctx, s, org, i, rows); err != nil {
		return err
	}
	select {
	case s.jobs <- struct{}{}:
	default: // the worker is about to look anyway
	}
	return nil
}

func storeJob[R any](ctx context.Context, s *Service, org activity.Org, i Import, rows []R) error {
	content, err := json.Marshal(i)
	if err != nil {
		return err
	}
	g := store.Group{Org: org, Doc: store.ImportKey(org, i.ID), Content: content}
	for part := range slices.Chunk(rows, jobPart) {
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

// jobName is the job's field in the hash of jobs, and its member of those that have ended. Orgs have no colon.
func jobName(org activity.Org, id string) string { return string(org) + ":" + id }

func parseJobName(name string) (org activity.Org, id string) {
	before, id, _ := strings.Cut(name, ":")
	return activity.Org(before), id
}

// runJobs works off jobs, one at a time, until ctx ends.
func (s *Service) runJobs(ctx context.Context) error {
	tick := time.NewTicker(jobEvery)
	defer tick.Stop()
	for {
		if err := errors.Join(s.workOffJobs(ctx), s.removeEnded(ctx)); err != nil && ctx.Err() == nil {
			s.Log.Warn().Err(err).Msg("a job was interrupted; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.jobs:
		}
	}
}

// workOffJobs works on all jobs that no other node works on, the oldest first.
func (s *Service) workOffJobs(ctx context.Context) error {
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
		org, id := parseJobName(name)
		if failed := s.workOffJob(ctx, org, id); failed != nil {
			err = errors.Join(err, fmt.Errorf("job %s of org %s: %w", id, org, failed))
		}
	}
	return err
}

// removeEnded removes jobs that ended long ago, and the oldest of too many.
func (s *Service) removeEnded(ctx context.Context) error {
	for {
		names, err := s.Store.Ended(ctx, s.Clock.Now(), maxEnded, endedPage)
		if err != nil || len(names) == 0 {
			return err
		}
		g := store.Group{Writes: []store.Op{{Kind: store.OpZRem, Key: store.EndedKey(), Args: names}}}
		for _, name := range names {
			g.Writes = append(g.Writes, store.Op{Kind: store.OpDel, Key: store.ImportKey(parseJobName(name))})
		}
		if _, err := s.Store.Commit(ctx, 0, []store.Group{g}); err != nil {
			return err
		}
	}
}

// job is an Import that this node works on.
type job struct {
	*Service
	doc     Import
	org     activity.Org
	version store.Version
}

func (s *Service) workOffJob(ctx context.Context, org activity.Org, id string) error {
	i, version, err := s.readImport(ctx, org, id)
	if errors.Is(err, ErrImportNotFound) || err == nil && (i.State == ImportFinished || s.Clock.Now() < i.Alive+jobClaim) {
		return nil // finished just now, or another node's
	}
	if err != nil {
		return err
	}
	j := &job{Service: s, doc: i, org: org, version: version}
	j.doc.State, j.doc.Alive = ImportRunning, s.Clock.Now()
	for mine, err := j.save(ctx); ; mine, err = j.save(ctx) {
		if err != nil || !mine || j.doc.State == ImportFinished {
			return err
		}
		if err := j.nextPart(ctx); err != nil {
			j.doc.Alive = 0 // whoever comes next may go on at once
			_, left := j.save(context.WithoutCancel(ctx))
			return errors.Join(err, left)
		}
	}
}

// save writes down how far the job has come; not mine: another node has taken it up.
func (j *job) save(ctx context.Context) (mine bool, err error) {
	content, err := json.Marshal(j.doc)
	if err != nil {
		return false, err
	}
	g := store.Group{Org: j.org, Doc: store.ImportKey(j.org, j.doc.ID), Expect: j.version, Content: content}
	if j.doc.State == ImportFinished {
		for n := 0; n*jobPart < j.doc.Rows; n++ {
			g.Writes = append(g.Writes, store.Op{Kind: store.OpDel, Key: store.ImportPartKey(j.org, j.doc.ID, n)})
		}
		name, until := jobName(j.org, j.doc.ID), j.doc.ClosedAt+jobsKept(j.doc.Kind)
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHDel, Key: store.JobsKey(), Args: []string{name}},
			store.Op{Kind: store.OpZAdd, Key: store.EndedKey(), Args: []string{strconv.FormatInt(int64(until), 10), name}})
	}
	r, err := j.Store.Commit(ctx, 0, []store.Group{g})
	if err != nil {
		return false, err
	}
	j.version = r.Version
	return r.Outcomes[0].Status == store.Applied, nil
}

// nextPart decides the rows of the next part, and counts them. An error says that nothing of it is counted.
func (j *job) nextPart(ctx context.Context) (err error) {
	if j.doc.Done < j.doc.Rows {
		text, err := j.Store.Text(ctx, store.ImportPartKey(j.org, j.doc.ID, j.doc.Done/jobPart))
		if err != nil {
			return err
		}
		decide := j.decideActivities
		if j.doc.Kind == ImportUsers {
			decide = j.decideUsers
		}
		if err := decide(ctx, text); err != nil {
			return fmt.Errorf("rows after %d: %w", j.doc.Done, err)
		}
		j.doc.Done = min(j.doc.Done+jobPart, j.doc.Rows)
	}
	if j.doc.Alive = j.Clock.Now(); j.doc.Done == j.doc.Rows {
		j.doc.State, j.doc.ClosedAt, j.doc.Alive = ImportFinished, j.Clock.Now(), 0
	}
	return nil
}

// note keeps the first errors of the job's rows, in order of lines.
func (j *job) note(faults []*RowError) {
	faults = slices.DeleteFunc(slices.Clone(faults), func(e *RowError) bool { return e == nil })
	slices.SortStableFunc(faults, func(a, b *RowError) int { return cmp.Compare(a.Line, b.Line) })
	for _, e := range faults[:min(len(faults), maxRowErrors-len(j.doc.Errors))] {
		j.doc.Errors = append(j.doc.Errors, *e)
	}
}
