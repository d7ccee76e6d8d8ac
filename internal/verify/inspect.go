package verify

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// finding is a difference and what would mend it, beside storing the state that ought to be.
type finding struct {
	Difference
	hopeless bool // nothing would
	write    *store.BoardWrite
	op       *store.Op
	claim    *profile.Value // that is nobody's
	board    *boardCheck    // of a row
}

// stray is a row that was seen on a board and is not the one that the user's state says.
type stray struct {
	board  *boardCheck
	user   activity.User
	member string
	found  store.Standing
}

// inspect looks at a user until nothing changes meanwhile, and notes or mends what then differs: all of the user's own things or, with a stray, that row.
func (c *orgCheck) inspect(ctx context.Context, user activity.User, s *stray) error {
	for n := range tries {
		if err := pause(ctx, n); err != nil {
			return err
		}
		r, err := c.read(ctx, user)
		if err != nil {
			return err
		}
		var found []finding
		if s != nil {
			found, err = c.strayFindings(ctx, &r, s)
		} else {
			found, err = c.userFindings(ctx, &r)
		}
		if err != nil {
			return err
		}
		if same, err := r.Unchanged(ctx, c.Store); err != nil {
			return err
		} else if !same {
			continue
		}
		if len(found) == 0 {
			return nil
		}
		if changed, err := c.refresh(ctx); err != nil {
			return err
		} else if changed {
			continue // the row may have gone with its board
		}
		if done, err := c.conclude(ctx, &r, found); done || err != nil {
			return err
		}
	}
	c.report.Unsettled++
	return nil
}

// conclude notes what was found, and mends it if that is asked for; not done: another commit was faster.
func (c *orgCheck) conclude(ctx context.Context, r *reading, found []finding) (done bool, err error) {
	mended := 0
	if c.mends {
		if mended, done, err = c.mend(ctx, r, found); err != nil || !done {
			return false, err
		}
	}
	for i := range found {
		c.note(&found[i])
	}
	c.report.Mended += mended
	return true, nil
}

// note puts a finding into the report.
func (c *orgCheck) note(f *finding) {
	if f.board == nil {
		c.report.add(f.Difference, c.List)
		return
	}
	at, missing := f.board.missing[f.User]
	if f.Kind == RowWrong && missing {
		delete(f.board.missing, f.User)
		if c.report.Counts[RowMissing]--; c.report.Counts[RowMissing] == 0 {
			delete(c.report.Counts, RowMissing)
		}
		c.report.Counts[RowWrong]++
		if at >= 0 {
			c.report.Differences[at] = f.Difference
		}
		return
	}
	at = c.report.add(f.Difference, c.List)
	if f.Kind == RowMissing && !c.mends {
		f.board.missing[f.User] = at
	}
}

// stateFindings compares the state with what base and log amount to.
func stateFindings(a *account.Account, e *account.Expected, p *progress.Plan) []finding {
	d := Difference{Org: a.Org, User: a.User}
	switch {
	case a.Fault != nil:
		d.Kind, d.Expected, d.Found = Unreadable, "a base and a log that can be read", a.Fault.Error()
		return []finding{{Difference: d, hopeless: true}}
	case !a.Exists():
		return nil
	case a.Document == "":
		d.Kind, d.Expected, d.Found = StateLost, fmt.Sprintf("a state of %d activities", len(a.Records)), "none"
	case a.Stored == nil:
		d.Kind, d.Expected, d.Found = StateDamaged, fmt.Sprintf("a state of %d activities", len(a.Records)), fmt.Sprintf("%d bytes that are none", len(a.Document))
	case e.Pending:
		return nil
	default:
		if d.Found = progress.Difference(p, a.Stored, e.State); d.Found == "" {
			return nil
		}
		d.Kind, d.Expected = StateWrong, "what base and log amount to"
	}
	return []finding{{Difference: d}}
}

// userFindings compares the user's state, rows and deadline.
func (c *orgCheck) userFindings(ctx context.Context, r *reading) ([]finding, error) {
	found := stateFindings(r.Account, &r.Expected, c.plan)
	for i := range r.Places {
		place := &r.Places[i]
		b := c.board(r.Board(place))
		if b == nil {
			continue
		}
		want := account.Standing(place.Standing)
		scores, err := c.Store.Scores(ctx, store.BoardKey(r.Partition, b.Board), []string{store.Member(want, place.Ascending, r.User)})
		if err != nil {
			return nil, err
		}
		if scores[0].Some && scores[0].Value == float64(want.Value) {
			continue
		}
		f := c.rowFinding(b, RowMissing, r.User, place.String(), "no row")
		if scores[0].Some {
			f.Kind, f.Found = RowWrong, scoreText(scores[0].Value, place.Reached)
		}
		f.write = &store.BoardWrite{Board: b.Board, User: r.User, New: &want, Ascending: b.Ascending}
		found = append(found, f)
	}
	due, err := c.deadlineFinding(ctx, r)
	if err != nil {
		return nil, err
	}
	claims, err := c.profileFindings(ctx, r)
	if err != nil {
		return nil, err
	}
	unheld, err := c.grantFindings(ctx, r)
	return slices.Concat(found, due, claims, unheld), err
}

func (c *orgCheck) rowFinding(b *boardCheck, k Kind, u activity.User, expected, found string) finding {
	return finding{board: b, Difference: Difference{Kind: k, Org: c.org, Rule: b.Board.Rule, Label: b.Board.Label, User: u, Expected: expected, Found: found}}
}

func scoreText(score float64, reached calendar.Instant) string {
	return fmt.Sprintf("%s reached %v", strconv.FormatFloat(score, 'f', -1, 64), reached)
}

func (c *orgCheck) deadlineFinding(ctx context.Context, r *reading) ([]finding, error) {
	scores, err := c.Store.Scores(ctx, store.DueKey(r.Partition), []string{r.DueMember()})
	if err != nil {
		return nil, err
	}
	if r.State == nil && r.Exists() {
		return nil, nil // nothing can be told of such a user
	}
	s := scores[0]
	right := s.Some == (r.Deadline != 0) && (!s.Some || s.Value == float64(r.Deadline))
	if right && (r.Stored == nil || r.Stored.Scheduled == r.Deadline) {
		return nil, nil
	}
	f := finding{Difference: Difference{Kind: DeadlineWrong, Org: c.org, User: r.User, Expected: "no deadline", Found: "no deadline"}}
	op := store.Op{Kind: store.OpZRem, Key: store.DueKey(r.Partition), Args: []string{r.DueMember()}}
	if r.Deadline != 0 {
		f.Expected = r.Deadline.String()
		op.Kind, op.Args = store.OpZAdd, []string{strconv.FormatInt(int64(r.Deadline), 10), r.DueMember()}
	}
	if s.Some {
		f.Found = calendar.Instant(s.Value).String()
	}
	if right {
		f.Found = fmt.Sprintf("a state that says %v", r.Stored.Scheduled)
	}
	f.op = &op
	return []finding{f}, nil
}

// strayFindings says what a stray row is, if it is still there.
func (c *orgCheck) strayFindings(ctx context.Context, r *reading, s *stray) ([]finding, error) {
	key := store.BoardKey(r.Partition, s.board.Board)
	members := []string{s.member}
	place := r.Expected.Place(s.board.Board.Rule, s.board.Board.Label)
	if place != nil {
		members = append(members, store.Member(account.Standing(place.Standing), place.Ascending, r.User))
	}
	scores, err := c.Store.Scores(ctx, key, members)
	if err != nil || !scores[0].Some {
		return nil, err
	}
	if r.Fault != nil {
		return nil, nil // it may be of a period that only the base has
	}
	f := c.rowFinding(s.board, RowSurplus, r.User, "no row", scoreText(scores[0].Value, calendar.Instant(s.found.Reached)))
	f.write = &store.BoardWrite{Board: s.board.Board, User: r.User, Old: &s.found, Ascending: s.board.Ascending}
	switch {
	case place != nil && members[1] == s.member:
		return nil, nil // its value may be wrong, which is found with the user
	case place != nil:
		want := account.Standing(place.Standing)
		f.write.New, f.Expected = &want, place.String()
		if !scores[1].Some {
			f.Kind = RowWrong
		}
	case !r.Exists():
		f.Kind, f.Expected = RowForeign, "no such user"
	}
	return []finding{f}, nil
}

// unowned notes or removes something that no user's commit could guard.
func (c *checker) unowned(ctx context.Context, p store.Partition, g store.Group, d Difference) error {
	c.report.add(d, c.List)
	if !c.mends {
		return nil
	}
	if _, err := c.Store.Commit(ctx, p, []store.Group{g}); err != nil {
		return err
	}
	c.report.Mended++
	return nil
}
