package query

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/ranking"
)

// cursor names a place on the board by the entry at it, so that it stays right while scores move: the next page begins with the first entry that is
// ordered after it, whether or not it is still there. It carries a checksum over itself and the board's name.
func (t *target) cursor(e ranking.Entry) string {
	b := binary.AppendVarint(nil, e.Value)
	b = binary.AppendVarint(b, int64(e.Reached))
	b = append(b, e.User...)
	return base64.RawURLEncoding.EncodeToString(append(t.checksum(b), b...))
}

func (t *target) checksum(b []byte) []byte {
	d := xxhash.New()
	for _, part := range []string{string(t.org), t.rule, t.label} {
		_, _ = d.WriteString(part)
		_, _ = d.Write([]byte{0})
	}
	_, _ = d.Write(b)
	return binary.LittleEndian.AppendUint64(nil, d.Sum64())
}

func (t *target) parseCursor(s string) (*ranking.Entry, error) {
	const sum = 8
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < sum || string(t.checksum(b[sum:])) != string(b[:sum]) {
		return nil, detailed(ErrBadCursor, "a cursor is the next of an earlier answer for the same board")
	}
	b = b[sum:]
	value, n := binary.Varint(b)
	reached, m := binary.Varint(b[max(n, 0):])
	if n <= 0 || m <= 0 {
		return nil, detailed(ErrBadCursor, "a cursor is the next of an earlier answer for the same board")
	}
	return &ranking.Entry{Value: value, Reached: calendar.Instant(reached), User: activity.User(b[n+m:])}, nil
}
