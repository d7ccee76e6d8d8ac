package closing

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"laurel/internal/feed"
	"laurel/internal/store"
)

// ErrBadCursor says that what to read on from is no Next of an answer.
var ErrBadCursor = errors.New("this is not where reading events can go on")

// cursor is how far events were read: a position in the outbox of each partition. In a zero one nothing was read yet.
type cursor []feed.Position

// parseCursor is the inverse of cursor.String; "" is the beginning.
func parseCursor(text string, partitions int) (cursor, error) {
	c := make(cursor, partitions)
	if text == "" {
		return c, nil
	}
	if partitions == 1 {
		at, err := feed.ParsePosition(text)
		if err != nil || at.String() != text {
			return nil, ErrBadCursor
		}
		c[0] = at
		return c, nil
	}
	encoded, several := strings.CutPrefix(text, severalPrefix)
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !several {
		return nil, ErrBadCursor
	}
	ms := uint64(0)
	for p := range c {
		step, n := binary.Varint(b)
		if n <= 0 {
			return nil, ErrBadCursor
		}
		seq, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, ErrBadCursor
		}
		ms += uint64(step)
		c[p], b = feed.Position{Ms: ms, Seq: seq}, b[n+m:]
	}
	if len(b) > 0 || c.String() != text { // one text for each cursor
		return nil, ErrBadCursor
	}
	return c, nil
}

// severalPrefix begins the cursors of several partitions, so that none is also that of one: in base64url it does not occur.
const severalPrefix = "."

// String is the position of the one partition, or all of them packed: each one's time as the step from that of the partition before, and its number.
func (c cursor) String() string {
	if len(c) == 1 {
		return c[0].String()
	}
	b := make([]byte, 0, 8*len(c))
	ms := uint64(0)
	for _, at := range c {
		b = binary.AppendVarint(b, int64(at.Ms-ms))
		b = binary.AppendUvarint(b, at.Seq)
		ms = at.Ms
	}
	return severalPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// eventID names an event for good.
func eventID(e *store.Event, partitions int) string {
	if partitions == 1 {
		return e.ID.String()
	}
	return strconv.Itoa(int(e.Partition)) + "." + e.ID.String()
}

// CursorAt is the cursor from which on a reader gets what comes behind these positions, one a partition.
func CursorAt(at []feed.Position) string { return cursor(at).String() }

// SkipGone moves a cursor to the oldest event that is kept in each partition in which some behind it were trimmed, and says in how many that was. ErrBadCursor;
// errors of the store.
func (c *Closer) SkipGone(ctx context.Context, after string) (next string, partitions int, err error) {
	at, err := parseCursor(after, c.Store.Partitions())
	if err != nil {
		return "", 0, err
	}
	for p := range at {
		_, err := c.Store.Events(ctx, store.Partition(p), at[p], 1)
		if errors.Is(err, store.ErrEventsGone) {
			at[p] = feed.Position{}
			partitions++
		} else if err != nil {
			return "", 0, err
		}
	}
	return at.String(), partitions, nil
}
