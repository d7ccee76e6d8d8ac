package query

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/ranking"
)

// Bounds of a list of users: how many are shown at a time, how many are looked at for that, and in what steps.
const (
	MaxListed = 500
	usersScan = 5000
	usersStep = 500
)

// Orders of a list of users.
const (
	NewestFirst = "-created_at"
	OldestFirst = "created_at"
)

// userRow is one user of a list.
type userRow struct {
	ID        activity.User    `json:"id"`
	CreatedAt calendar.Instant `json:"created_at,omitzero"`
	Profile   profile.Record   `json:"profile,omitzero"`
	Hidden    bool             `json:"hidden,omitzero"`
	Blocked   bool             `json:"blocked,omitzero"`
}

// userPage is a page of a list of users.
type userPage struct {
	Users   []userRow `json:"users"`
	Total   int       `json:"total"`
	Pending bool      `json:"pending,omitzero"`
	Next    string    `json:"next,omitempty"`
}

// Users lists users, as a JSON object. Who is next is read off the list of all users in O(log n); who stands there is read and filtered until the page is full or
// 5,000 were looked at: a page may have fewer users than asked for, or none, and go on. On the first page those whom a search names exactly, found by their claims
// however many users there are, come before all others. ErrBadCursor, *ParamError, ranking.ErrLoading.
func (r *Reader) Users(ctx context.Context, org activity.Org, q UserList) ([]byte, error) {
	l := userListing{Reader: r, org: org, q: &q}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	board, err := r.boards.Open(ctx, profile.Directory(org), ranking.Ascending)
	if err != nil {
		return nil, err
	}
	page := userPage{Users: []userRow{}, Pending: !r.ingest.Listed(org)}
	board.View(func(x *ranking.Index, _ uint64) { page.Total = x.Len() })
	if q.Search != "" && q.Cursor == "" {
		if err := l.exact(ctx, &page); err != nil {
			return nil, err
		}
	}
	more, err := l.fill(ctx, board, &page)
	if err != nil {
		return nil, err
	}
	if more {
		page.Next = l.cursor()
	}
	return json.Marshal(page, json.Deterministic(true))
}

// userListing is one page of a list in the making.
type userListing struct {
	*Reader
	org  activity.Org
	q    *UserList
	pass func(*ingest.Person) bool
	// last is the user who was looked at last, nil before the first; shown are those who came first because the search names them exactly, by a sum of their ids.
	last  *ranking.Entry
	shown []uint64
}

// exact shows whom the search names exactly. Who finds no room is met again on the way: the search finds them as it does others.
func (l *userListing) exact(ctx context.Context, page *userPage) error {
	users := []activity.User{activity.User(l.q.Search)}
	for _, field := range profile.Unique() {
		user, err := l.ingest.Find(ctx, l.org, field, l.q.Search)
		if err == nil && !slices.Contains(users, user) {
			users = append(users, user)
		} else if err != nil && !isNobody(err) {
			return err
		}
	}
	found, err := l.persons(ctx, users)
	if err != nil {
		return err
	}
	for i := range found[:min(len(found), l.q.Limit)] {
		page.add(&found[i])
		l.shown = append(l.shown, xxhash.Sum64String(string(found[i].User)))
	}
	return nil
}

func (p *userPage) add(one *ingest.Person) {
	p.Users = append(p.Users, userRow{one.User, one.Profile.CreatedAt, one.Profile, one.Hidden, one.Blocked})
}

// fill looks at users from the last one on; more says that there are others behind those who were looked at.
func (l *userListing) fill(ctx context.Context, board *ranking.Board, page *userPage) (more bool, err error) {
	more = true
	for looked := 0; more && looked < usersScan && len(page.Users) < l.q.Limit; looked += usersStep {
		var rows []ranking.Row
		rows, more = l.next(board)
		users := make([]activity.User, 0, len(rows))
		for i := range rows {
			if !slices.Contains(l.shown, xxhash.Sum64String(string(rows[i].User))) {
				users = append(users, rows[i].User)
			}
		}
		found, err := l.persons(ctx, users)
		if err != nil {
			return false, err
		}
		if room := l.q.Limit - len(page.Users); len(found) > room {
			found, more = found[:room], true
			end := slices.IndexFunc(rows, func(row ranking.Row) bool { return row.User == found[room-1].User })
			rows = rows[:end+1]
		}
		for i := range found {
			page.add(&found[i])
		}
		if len(rows) > 0 {
			l.last = &rows[len(rows)-1].Entry
		}
	}
	return more, nil
}

// next are the users after the last one, in the order of the list, and whether there are more.
func (l *userListing) next(board *ranking.Board) (rows []ranking.Row, more bool) {
	board.View(func(x *ranking.Index, _ uint64) {
		at := 0 // how many are at or before the last one, in the order of the index
		if l.last != nil && x.Len() > 0 {
			at = x.After(*l.last)
		}
		if l.q.Sort == OldestFirst {
			rows, more = x.Range(nil, at, usersStep, ranking.Ordinal), at+usersStep < x.Len()
			return
		}
		if l.last == nil {
			at = x.Len()
		} else if e, there := x.Get(l.last.User); there && e == *l.last {
			at--
		}
		from := max(at-usersStep, 0)
		rows, more = x.Range(nil, from, at-from, ranking.Ordinal), from > 0
		slices.Reverse(rows)
	})
	return rows, more
}

func (l *userListing) persons(ctx context.Context, users []activity.User) ([]ingest.Person, error) {
	found, err := l.ingest.Persons(ctx, l.org, users, l.pass)
	return slices.DeleteFunc(found, func(p ingest.Person) bool {
		return l.q.Blocked != nil && p.Blocked != *l.q.Blocked || l.q.Hidden != nil && p.Hidden != *l.q.Hidden
	}), err
}

// cursor names the user who was looked at last by the place in the order, so that it stays right while users come and go.
func (l *userListing) cursor() string {
	last := ranking.Entry{} // nobody, where those who came first filled the page
	if l.last != nil {
		last = *l.last
	}
	b := binary.AppendVarint(nil, last.Value)
	b = binary.AppendUvarint(b, uint64(len(l.shown)))
	for _, sum := range l.shown {
		b = binary.LittleEndian.AppendUint64(b, sum)
	}
	return l.sealer.seal(append(b, last.User...), "users", string(l.org), l.q.Sort, l.q.filter())
}

func (l *userListing) parseCursor() error {
	b, err := l.sealer.open(l.q.Cursor, "users", string(l.org), l.q.Sort, l.q.filter())
	if err != nil {
		return err
	}
	value, n := binary.Varint(b) // signed, so written by cursor
	count, m := binary.Uvarint(b[n:])
	b = b[n+m:]
	for range count {
		l.shown, b = append(l.shown, binary.LittleEndian.Uint64(b)), b[8:]
	}
	if len(b) > 0 {
		l.last = &ranking.Entry{Value: value, User: activity.User(b)}
	}
	return nil
}
