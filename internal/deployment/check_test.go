package deployment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/oracle"
)

// difference says where a node's boards are not what they must be.
func difference(want map[string][]row, read func(board string) ([]row, error)) error {
	for board, rows := range want {
		got, err := read(board)
		if err != nil {
			return err
		}
		if !slices.Equal(rows, got) {
			return fmt.Errorf("board %s (-model +node)\n%s", board, cmp.Diff(rows, got))
		}
	}
	if rows := want["visits/all"]; len(rows) == 0 {
		return errors.New("the clients got nothing done")
	}
	return nil
}

// logs is what each user's log must hold: every acknowledged id with its status, and no other.
func (k known) logs() map[string]map[string]string {
	logs := map[string]map[string]string{}
	for id, r := range k.records {
		if logs[r.User] == nil {
			logs[r.User] = map[string]string{}
		}
		logs[r.User][id] = "accepted"
		if r.Rejected {
			logs[r.User][id] = "rejected"
		}
	}
	return logs
}

// logDifference says whose log is not what it must be.
func logDifference(want map[string]map[string]string, read func(user string) (map[string]string, error)) error {
	for user, log := range want {
		got, err := read(user)
		if err != nil {
			return err
		}
		if !maps.Equal(log, got) {
			return fmt.Errorf("log of %s (-model +node)\n%s", user, cmp.Diff(log, got))
		}
	}
	return nil
}

func userPath(user string) string { return "/v1/users/" + url.PathEscape(user) }

// readLog reads all of a user's activities from one of the nodes a page.
func readLog(user string, choose func() *process) (map[string]string, error) {
	log := map[string]string{}
	for cursor := ""; ; {
		path := userPath(user) + "/activities?limit=100" + cursor
		a, err := send(context.Background(), choose, "GET", path, "")
		if err != nil {
			return nil, err
		}
		var page struct {
			Activities []struct{ ID, Status string }
			Next       string
		}
		if err := a.into(&page); err != nil || a.Status != 200 {
			return nil, fmt.Errorf("GET %s: %d %s: %w", path, a.Status, a.Body, err)
		}
		for _, activity := range page.Activities {
			if _, twice := log[activity.ID]; twice {
				return nil, fmt.Errorf("%s has %s twice", user, activity.ID)
			}
			log[activity.ID] = activity.Status
		}
		if page.Next == "" {
			return log, nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}

// TestChecker_NoticesWhatIsLostOrDoubled: one acknowledged activity more, less, or taken back, whichever it is.
func TestChecker_NoticesWhatIsLostOrDoubled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &client{load: &load{begin: time.Now().Truncate(time.Second)}, random: rand.New(rand.NewPCG(seed, 0))}
	all := newWorld().known
	for range 60 {
		r := c.record(user(c.random.IntN(7)))
		r.Rejected = c.random.IntN(10) == 0
		all.records[r.ID] = r
	}
	now := time.Now()
	boards, logs, balances := all.boards(now), all.logs(), all.balances()
	// noticed says by what: the boards, the logs, the wallets.
	noticed := func(do func(k known)) (by [3]bool) {
		other := all.clone()
		do(other)
		theirs, log := other.boards(now), other.logs()
		by[0] = difference(boards, func(board string) ([]row, error) { return theirs[board], nil }) != nil
		by[1] = logDifference(logs, func(user string) (map[string]string, error) { return log[user], nil }) != nil
		by[2] = !maps.Equal(balances, other.balances())
		return by
	}
	if by := noticed(func(known) {}); by != [3]bool{} {
		t.Fatalf("nothing is different, and it is noticed: %v", by)
	}
	for id, r := range all.records {
		counts := !r.Rejected
		paid := counts && r.Meta["points"].(int) > 0
		twice := r
		twice.ID += " again"
		turned := r
		turned.Rejected = !r.Rejected
		for what, test := range map[string]struct {
			do   func(k known)
			want [3]bool
		}{
			"lost":                 {func(k known) { delete(k.records, id) }, [3]bool{counts, true, paid}},
			"doubled":              {func(k known) { k.records[twice.ID] = twice }, [3]bool{counts, true, paid}},
			"rejected or restored": {func(k known) { k.records[id] = turned }, [3]bool{true, true, r.Meta["points"].(int) > 0}},
			"another user's":       {func(k known) { k.records[id] = ofAnother(r) }, [3]bool{counts, true, paid}},
		} {
			by := noticed(test.do)
			for i, means := range []string{"boards", "logs", "wallets"} {
				if test.want[i] && !by[i] {
					t.Errorf("%+v, %s: %s do not notice", r, what, means)
				}
			}
		}
	}
}

func ofAnother(r oracle.Record) oracle.Record {
	r.User += "'"
	return r
}
