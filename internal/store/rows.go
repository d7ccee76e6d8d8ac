package store

import (
	"slices"
	"strconv"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// rows notices a row of a board that a commit writes twice.
type rows struct {
	boards []feed.Board // of the commit, by place
	// seen has the rows so far. It is nil where each group writes rows of its own user only, who is no other group's: then a row can come twice only
	// within a group.
	seen map[boardUser]struct{}
}

// boardUser names a row of a board.
type boardUser struct {
	board int
	user  activity.User
}

// maxOwnRows is how many rows of its own user a group may have to be looked through one by one.
const maxOwnRows = 32

func (c *prepared) newRows(total int) *rows {
	if c.ownRowsOnly() {
		return &rows{}
	}
	return &rows{seen: make(map[boardUser]struct{}, total)}
}

func (c *prepared) ownRowsOnly() bool {
	users := make(map[activity.User]struct{}, len(c.groups))
	for i := range c.groups {
		g := &c.groups[i]
		if len(g.Boards) == 0 {
			continue
		}
		if _, twice := users[g.User]; twice || len(g.Boards) > maxOwnRows {
			return false
		}
		users[g.User] = struct{}{}
		for j := range g.Boards {
			if g.Boards[j].User != g.User {
				return false
			}
		}
	}
	return true
}

// twice says whether the row was written before; at has the boards of the group's rows before it.
func (r *rows) twice(board int, user activity.User, at []int) bool {
	if r.seen == nil {
		return slices.Contains(at, board)
	}
	_, twice := r.seen[boardUser{board, user}]
	r.seen[boardUser{board, user}] = struct{}{}
	return twice
}

// member is Member, in the commit's memory.
func (c *prepared) member(s *Standing, w *BoardWrite) string {
	var room [memberTime + 128]byte
	from := c.text.Len()
	c.text.Write(appendMember(room[:0], *s, w.Ascending, w.User))
	return c.text.String()[from:]
}

func (c *prepared) number(n int64) string {
	var room [20]byte
	from := c.text.Len()
	c.text.Write(strconv.AppendInt(room[:0], n, 10))
	return c.text.String()[from:]
}

// grow makes room for as many rows more.
func (s *setOps) grow(n int) {
	s.rem, s.remOwner = slices.Grow(s.rem, n), slices.Grow(s.remOwner, n)
	s.add, s.addOwner = slices.Grow(s.add, 2*n), slices.Grow(s.addOwner, n)
}
