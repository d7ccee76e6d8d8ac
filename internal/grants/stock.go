package grants

import (
	"slices"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Hold is pieces of a reward that a grant has, or may have. Key is HoldOf of the user and grant that it was made for.
type Hold struct {
	Key    string           `json:"k"`
	Pieces int64            `json:"n"`
	User   activity.User    `json:"u"`
	Grant  string           `json:"g"`
	Token  string           `json:"t"` // of who opened it
	At     calendar.Instant `json:"at"`
	// Sent is of a piece that is given away: it is had if User made the activity of this id.
	Sent activity.ID `json:"sent,omitzero"`
	// Credit is of what was given to User: as long as the log has no record of this id, it is on its way, and had.
	Credit activity.ID `json:"credit,omitzero"`
}

// Stock is the document of a limited reward. The zero value is that of one of which nothing was ever held.
type Stock struct {
	// Held is how many pieces are held, those of open holds included.
	Held int64 `json:"held"`
	// Open are the holds of which it is not certain that they are had, in the order in which they were opened.
	Open []Hold `json:"open,omitempty"`
}

// ParseStock is the inverse of Content; no content is the zero Stock.
func ParseStock(content []byte) (s Stock, err error) {
	if len(content) > 0 {
		err = json.Unmarshal(content, &s)
	}
	return s, err
}

// Content is the stock as it is stored.
func (s *Stock) Content() ([]byte, error) { return json.Marshal(s, json.Deterministic(true)) }

// Take opens a hold for a grant that is about to be issued, within a limit. held is what the hash has of the hold. added says that it is to be written there. Not ok: nothing is left,
// and nothing has changed.
func (s *Stock) Take(h Hold, held, limit int64) (added, ok bool) {
	if held == 0 {
		if s.Held+h.Pieces > limit {
			return false, false
		}
		s.Held += h.Pieces
	} else {
		h.Pieces = held
	}
	s.open(h)
	return held == 0, true
}

// Give opens the hold of a grant that is about to go. Not ok: the stock does not know it, or no more.
func (s *Stock) Give(h Hold, held int64) (ok bool) {
	if held == 0 {
		return false
	}
	h.Pieces = held
	s.open(h)
	return true
}

func (s *Stock) open(h Hold) {
	s.Open = append(slices.DeleteFunc(s.Open, func(o Hold) bool { return o.Key == h.Key }), h)
}

// Settle closes a hold if nobody has opened it since by another token. had says that it is had; removed, that it is to be taken out of the hash.
func (s *Stock) Settle(key, token string, had bool) (removed, changed bool) {
	i := slices.IndexFunc(s.Open, func(o Hold) bool { return o.Key == key && o.Token == token })
	if i < 0 {
		return false, false
	}
	if !had {
		s.Held -= s.Open[i].Pieces
	}
	s.Open = slices.Delete(s.Open, i, i+1)
	return !had, true
}

// Forfeit closes a hold whose user is about to be gone: its pieces stay held.
func (s *Stock) Forfeit(key string) {
	s.Open = slices.DeleteFunc(s.Open, func(o Hold) bool { return o.Key == key })
}

// OpenSince are the holds that were opened at an instant or before.
func (s *Stock) OpenSince(at calendar.Instant) (old []Hold) {
	for _, h := range s.Open {
		if h.At <= at {
			old = append(old, h)
		}
	}
	return old
}
