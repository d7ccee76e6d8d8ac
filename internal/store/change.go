package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// The fields of a change entry: the commit's version, the id of the entry before, the dictionary of the commit's boards, and
// the blobs of the applied groups one after the other. Always these four in this order, so that Redis stores the names once a node of the stream.
const (
	fieldVersion = "v"
	fieldPrev    = "p"
	fieldBoards  = "k"
	fieldGroups  = "g"
)

// Flags of a group's blob and of a write in it.
const (
	blobUser           = 1 // a user's state has the commit's version
	blobOrgChanged     = 2
	blobProfileChanged = 4  // with blobUser
	blobDropped        = 8  // after the writes: boards that are removed
	blobDeleted        = 16 // with blobUser: the user is no longer there
	blobEvents         = 32 // with blobUser, last: the bodies of what became true for the user
	writeRemoved       = 1
	writeOther         = 2 // the write's user is not the group's: it follows
)

// What a group and a write take in an entry, roughly: how much room to make before reading one.
const (
	groupSize = 48
	writeSize = 16
)

// errEntry says that a change entry is not one that this package wrote.
var errEntry = errors.New("change entry is malformed")

func appendText[S ~string](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBoard(b []byte, board feed.Board) []byte {
	return appendText(appendText(appendText(b, board.Org), board.Rule), board.Label)
}

// appendGroup encodes what followers learn of one applied group. boards gives the place of each of its writes in the dictionary, and then of each of
// its drops.
func appendGroup(b []byte, g *Group, boards []int) []byte {
	var flags byte
	if g.User != "" {
		flags |= blobUser
	}
	if g.OrgChanged {
		flags |= blobOrgChanged
	}
	if len(g.Drops) > 0 {
		flags |= blobDropped
	}
	if g.ProfileChanged {
		flags |= blobProfileChanged
	}
	if g.Delete {
		flags |= blobDeleted
	}
	if len(g.Events) > 0 {
		flags |= blobEvents
	}
	b = appendText(append(b, flags), g.Org)
	if g.User != "" {
		b = appendText(b, g.User)
	}
	b = binary.AppendUvarint(b, uint64(len(g.Boards)))
	for i := range g.Boards {
		b = appendWrite(b, &g.Boards[i], boards[i], g.User)
	}
	if len(g.Drops) > 0 {
		b = binary.AppendUvarint(b, uint64(len(g.Drops)))
		for _, place := range boards[len(g.Boards):] {
			b = binary.AppendUvarint(b, uint64(place))
		}
	}
	if len(g.Events) > 0 {
		b = binary.AppendUvarint(b, uint64(len(g.Events)))
		for _, body := range g.Events {
			b = append(binary.AppendUvarint(b, uint64(len(body))), body...)
		}
	}
	return b
}

func appendWrite(b []byte, w *BoardWrite, board int, user activity.User) []byte {
	head := uint64(board) << 2
	if w.New == nil {
		head |= writeRemoved
	}
	if w.User != user {
		head |= writeOther
	}
	b = binary.AppendUvarint(b, head)
	if w.User != user {
		b = appendText(b, w.User)
	}
	if w.New != nil {
		b = binary.AppendVarint(b, w.New.Value)
		b = binary.AppendVarint(b, w.New.Reached)
	}
	return b
}

// userVersion is what followers see of the group's user if the commit's version is v.
func (g *Group) userVersion(v string) feed.UserVersion {
	if g.Delete {
		v = ""
	}
	return feed.UserVersion{Org: g.Org, User: g.User, Version: v}
}

// write is what followers see of the board write.
func (w *BoardWrite) write() feed.Write {
	out := feed.Write{Board: w.Board, User: w.User, Removed: w.New == nil}
	if w.New != nil {
		out.Value, out.Reached = w.New.Value, calendar.Instant(w.New.Reached)
	}
	return out
}

// entry is a change stream entry as both drivers hold it.
type entry struct {
	id                            feed.Position
	version, prev, boards, groups string
}

// decode is what followers see of the entry.
func (e *entry) decode(p Partition) (feed.Change, error) {
	c := feed.Change{Partition: int(p), ID: e.id}
	prev, err := feed.ParsePosition(e.prev)
	if err != nil {
		return c, fmt.Errorf("%w: %v: %w", errEntry, e.id, err)
	}
	c.Prev = prev
	d := decoder{data: e.boards}
	var boards []feed.Board
	for len(d.data) > 0 && !d.bad {
		boards = append(boards, feed.Board{Org: activity.Org(d.text()), Rule: d.text(), Label: d.text()})
	}
	d.data = e.groups
	for len(d.data) > 0 && !d.bad {
		d.group(&c, boards, e.version)
	}
	if d.bad {
		return c, fmt.Errorf("%w: %v", errEntry, e.id)
	}
	return c, nil
}

// decoder reads the forms above. After the first fault it is bad and gives zero values.
type decoder struct {
	data string
	bad  bool
}

// roomFor makes room for n elements in a list that has not begun; without any it stays nil.
func roomFor[T any](list []T, n int) []T {
	if list == nil {
		return make([]T, 0, n)
	}
	return list
}

func (d *decoder) fail() { d.bad, d.data = true, "" }

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.data) && i < binary.MaxVarintLen64; i++ {
		b := d.data[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.data = d.data[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.data)) {
		d.fail()
		return ""
	}
	s := d.data[:n]
	d.data = d.data[n:]
	return s
}

func (d *decoder) group(c *feed.Change, boards []feed.Board, version string) {
	flags := d.data[0]
	d.data = d.data[1:]
	org := activity.Org(d.text())
	var user activity.User
	if flags&blobUser != 0 {
		user = activity.User(d.text())
		if flags&blobDeleted != 0 {
			version = ""
		}
		c.Users = append(roomFor(c.Users, 1+len(d.data)/groupSize), feed.UserVersion{Org: org, User: user, Version: version})
	}
	if flags&blobProfileChanged != 0 {
		c.Profiles = append(c.Profiles, feed.UserKey{Org: org, User: user})
	}
	if flags&blobOrgChanged != 0 && !slices.Contains(c.Orgs, org) {
		c.Orgs = append(c.Orgs, org)
	}
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		d.write(c, boards, user)
	}
	if flags&blobDropped != 0 {
		d.dropped(c, boards)
	}
	if flags&blobEvents != 0 {
		for n := d.uvarint(); n > 0 && !d.bad; n-- {
			c.Events = append(c.Events, feed.Event{Org: org, User: user, Body: []byte(d.text())})
		}
	}
}

func (d *decoder) dropped(c *feed.Change, boards []feed.Board) {
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		place := d.uvarint()
		if place >= uint64(len(boards)) {
			d.fail()
			return
		}
		c.Dropped = append(c.Dropped, boards[place])
	}
}

func (d *decoder) write(c *feed.Change, boards []feed.Board, user activity.User) {
	head := d.uvarint()
	if head>>2 >= uint64(len(boards)) {
		d.fail()
		return
	}
	w := feed.Write{Board: boards[head>>2], User: user, Removed: head&writeRemoved != 0}
	if head&writeOther != 0 {
		w.User = activity.User(d.text())
	}
	if !w.Removed {
		w.Value = d.varint()
		w.Reached = calendar.Instant(d.varint())
	}
	c.Writes = append(roomFor(c.Writes, 1+len(d.data)/writeSize), w)
}
