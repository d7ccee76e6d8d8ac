package query

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/ranking"
)

const (
	sealLen   = 16  // bytes of the HMAC-SHA256 that a cursor carries
	maxCursor = 512 // bytes of text; the longest that is made has about 230
)

// sealer signs the places at which listings go on, so that a client can only come back with what it was given, and for the same listing.
type sealer struct{ secret func() []byte }

// seal makes a cursor: the place, signed together with the parts that name the listing.
func (s sealer) seal(place []byte, listing ...string) string {
	return base64.RawURLEncoding.EncodeToString(append(s.sign(place, listing), place...))
}

// open is the inverse of seal. ErrBadCursor for every other text, and for the cursor of another listing.
func (s sealer) open(text string, listing ...string) ([]byte, error) {
	if len(text) <= maxCursor {
		b, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err == nil && len(b) >= sealLen && hmac.Equal(b[:sealLen], s.sign(b[sealLen:], listing)) {
			return b[sealLen:], nil
		}
	}
	return nil, detailed(ErrBadCursor, "a cursor is the next of an earlier answer to the same request, unchanged")
}

func (s sealer) sign(place []byte, listing []string) []byte {
	mac := hmac.New(sha256.New, s.secret())
	b := make([]byte, 0, 256)
	for _, part := range listing {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	// The place comes last, so it needs no length; the number of parts is fixed for each first part, the kind of listing.
	_, _ = mac.Write(append(b, place...))
	return mac.Sum(b[:0])[:sealLen]
}

// cursor names a place on the board by the entry at it, so that it stays right while scores move: the next page begins with the first entry that is
// ordered after it, whether or not it is still there. filter is what narrows the listing, "" the whole board.
func (t *target) cursor(s sealer, filter string, e ranking.Entry) string {
	b := binary.AppendVarint(nil, e.Value)
	b = binary.AppendVarint(b, int64(e.Reached))
	name := t.board()
	return s.seal(append(b, e.User...), "board", string(name.Org), name.Rule, name.Label, filter)
}

func (t *target) parseCursor(s sealer, filter, text string) (*ranking.Entry, error) {
	name := t.board()
	b, err := s.open(text, "board", string(name.Org), name.Rule, name.Label, filter)
	if err != nil {
		return nil, err
	}
	value, n := binary.Varint(b)
	reached, m := binary.Varint(b[n:]) // signed, so written by cursor
	return &ranking.Entry{Value: value, Reached: calendar.Instant(reached), User: activity.User(b[n+m:])}, nil
}

// sealPlace names a place in a listing that is in order of instants and ids.
func sealPlace(s sealer, last ingest.Place, listing ...string) string {
	return s.seal(append(binary.AppendVarint(nil, int64(last.At)), last.ID...), listing...)
}

func parsePlace(s sealer, text string, listing ...string) (*ingest.Place, error) {
	b, err := s.open(text, listing...)
	if err != nil {
		return nil, err
	}
	at, n := binary.Varint(b)
	return &ingest.Place{At: calendar.Instant(at), ID: activity.ID(b[n:])}, nil
}
