package verify

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// orgCheck is the verification of one org.
type orgCheck struct {
	*checker
	org    activity.Org
	has    *account.Contents
	plan   *progress.Plan
	entry  *registry.Entry
	boards map[feed.Board]*boardCheck
}

// boardCheck is what the users' states say of a board that is compared.
type boardCheck struct {
	feed.Board
	progress.Place                  // its rule and period; no standing
	expected       []account.Digest // by partition
	// missing are the users whose row is not there, and the place of that difference in the report: one that stands elsewhere on the board is wrong, not missing.
	missing map[activity.User]int
}

func (c *checker) newOrg(ctx context.Context, org activity.Org, has *account.Contents) (*orgCheck, error) {
	entry, err := c.Registry.Reload(ctx, org)
	if err != nil {
		return nil, err
	}
	o := &orgCheck{checker: c, org: org, has: has, plan: progress.NewPlanOf(entry.Catalog, entry.Kept, entry.Outages), entry: entry, boards: map[feed.Board]*boardCheck{}}
	o.directory()
	for _, b := range has.Boards {
		if _, ok := o.plan.BoardOf(b.Rule, b.Label); !ok {
			c.report.Undefined++
			continue
		}
		o.board(b)
	}
	return o, nil
}

// board is the check of a board, nil for one that is not compared.
func (c *orgCheck) board(b feed.Board) *boardCheck {
	if known, ok := c.boards[b]; ok {
		return known
	}
	var check *boardCheck
	if place, ok := c.plan.BoardOf(b.Rule, b.Label); ok && !gone(c.entry, &place) {
		check = &boardCheck{Board: b, Place: place, expected: make([]account.Digest, c.Store.Partitions()), missing: map[activity.User]int{}}
	}
	c.boards[b] = check
	return check
}

// gone says whether a board is of a period that its rule does not keep any more.
func gone(e *registry.Entry, b *progress.Place) bool {
	rule, _ := progress.CutSegment(b.Rule)
	return e.Kept.Gone(rule, b.Cycle.Key(), b.Ordinal)
}

func (c *orgCheck) run(ctx context.Context) error {
	for users := range slices.Chunk(c.has.Users, usersBatch) {
		if err := c.users(ctx, users); err != nil {
			return err
		}
	}
	c.report.Users += len(c.has.Users)
	for _, b := range c.boards {
		if b == nil {
			continue
		}
		c.report.Boards++
		for p := range c.Store.Partitions() {
			if err := c.rows(ctx, b, store.Partition(p)); err != nil {
				return err
			}
		}
		if c.Boards == nil || c.mends {
			continue
		}
		if err := c.index(ctx, b); err != nil {
			return err
		}
	}
	if err := c.stocks(ctx); err != nil {
		return err
	}
	_, err := c.refresh(ctx)
	return err
}

// refresh reads the fences again and says whether they were other ones: periods were closed, or are gone. ErrCatalogChanged.
func (c *orgCheck) refresh(ctx context.Context) (changed bool, err error) {
	entry, err := c.Registry.Reload(ctx, c.org)
	if err != nil || slices.Equal(entry.Fences, c.entry.Fences) {
		return false, err
	}
	if entry.Catalog.Hash != c.entry.Catalog.Hash {
		return false, ErrCatalogChanged
	}
	c.entry, c.plan = entry, progress.NewPlanOf(entry.Catalog, entry.Kept, entry.Outages)
	for id, b := range c.boards {
		if b != nil && !b.isDirectory() && gone(entry, &b.Place) {
			c.boards[id] = nil
		}
	}
	return true, nil
}

// Users are read in batches, a few at a time, so that the scores of many come with one question a board.
const (
	usersBatch  = 256
	readersEach = 8
)

// reading is a user as read for a first look. A commit may have come in between: what looks wrong is inspected.
type reading struct {
	*account.Account
	account.Expected
	profile map[string]string // the hash; nil of a user who has none to be compared
	suspect bool
}

// users takes a first look at a batch of users, and inspects those with whom something seems to be wrong.
func (c *orgCheck) users(ctx context.Context, users []activity.User) error {
	read := make([]reading, len(users))
	var g errgroup.Group
	g.SetLimit(readersEach)
	for i, u := range users {
		g.Go(func() (err error) {
			read[i], err = c.readFirst(ctx, u)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range read {
		c.count(&read[i])
	}
	if err := c.compareScores(ctx, read); err != nil {
		return err
	}
	if err := c.compareDeadlines(ctx, read); err != nil {
		return err
	}
	for i := range read {
		if read[i].suspect {
			if err := c.inspect(ctx, read[i].User, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *orgCheck) read(ctx context.Context, u activity.User) (reading, error) {
	a, err := account.Read(ctx, c.Store, c.org, u)
	if err != nil {
		return reading{}, err
	}
	e, err := a.Expect(c.plan, c.Clock.Now())
	if err != nil {
		return reading{}, fmt.Errorf("user %q: %w", u, err)
	}
	r := reading{Account: a, Expected: e, suspect: len(stateFindings(a, &e, c.plan)) > 0}
	return r, c.readProfile(ctx, &r)
}

// readFirst reads a user for the first look, at the claims too.
func (c *orgCheck) readFirst(ctx context.Context, u activity.User) (reading, error) {
	r, err := c.read(ctx, u)
	if err != nil {
		return r, err
	}
	found, err := c.profileFindings(ctx, &r)
	if err != nil {
		return r, err
	}
	unheld, err := c.grantFindings(ctx, &r)
	r.suspect = r.suspect || len(found)+len(unheld) > 0
	return r, err
}

func (c *orgCheck) count(r *reading) {
	c.report.Activities += len(r.Records)
	if r.Pending && r.Fault == nil {
		c.report.Pending++
	}
	if r.Overdue {
		c.report.Overdue++
	}
}

// compareScores looks whether the rows that ought to be there are, and sums up what ought to be.
func (c *orgCheck) compareScores(ctx context.Context, read []reading) error {
	type asked struct {
		members []string
		of      []int // reading of each
		values  []int64
	}
	type set struct {
		board     *boardCheck
		partition store.Partition
	}
	sets := map[set]*asked{}
	for i := range read {
		r := &read[i]
		for j := range r.Places {
			place := &r.Places[j]
			b := c.board(r.Board(place))
			if b == nil {
				continue
			}
			b.expected[r.Partition].Add(r.User, place.Value, int64(place.Reached))
			c.report.Rows++
			k := set{b, r.Partition}
			if sets[k] == nil {
				sets[k] = &asked{}
			}
			q := sets[k]
			q.members = append(q.members, store.Member(account.Standing(place.Standing), place.Ascending, r.User))
			q.of, q.values = append(q.of, i), append(q.values, place.Value)
		}
	}
	for k, q := range sets {
		scores, err := c.Store.Scores(ctx, store.BoardKey(k.partition, k.board.Board), q.members)
		if err != nil {
			return err
		}
		for i, s := range scores {
			if !s.Some || s.Value != float64(q.values[i]) {
				read[q.of[i]].suspect = true
			}
		}
	}
	return nil
}

func (c *orgCheck) compareDeadlines(ctx context.Context, read []reading) error {
	of := map[store.Partition][]int{}
	for i := range read {
		of[read[i].Partition] = append(of[read[i].Partition], i)
	}
	for p, which := range of {
		members := make([]string, len(which))
		for i, n := range which {
			members[i] = read[n].DueMember()
		}
		scores, err := c.Store.Scores(ctx, store.DueKey(p), members)
		if err != nil {
			return err
		}
		for i, s := range scores {
			r := &read[which[i]]
			if s.Some {
				c.report.Deadlines++
			}
			if s.Some != (r.Deadline != 0) || s.Some && s.Value != float64(r.Deadline) {
				r.suspect = true
			}
		}
	}
	return nil
}
