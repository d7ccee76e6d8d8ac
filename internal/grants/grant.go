package grants

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/calendar"
)

// ErrExpired says that a grant can be claimed or redeemed no more.
var ErrExpired = errors.New("grant has expired")

// State is how far a grant has come, whatever the time.
type State uint8

// The states. Nobody is shown what was Refused (the stock was empty when a completion gave it) or Revoked (what gave it was undone).
const (
	Issued State = iota
	Claimed
	Redeemed
	Revoked
	Refused
)

// Status is how a grant stands at an instant, as the API says it.
type Status string

// The statuses; None is that of what is not shown.
const (
	None           Status = ""
	StatusIssued   Status = "issued"
	StatusClaimed  Status = "claimed"
	StatusRedeemed Status = "redeemed"
	StatusExpired  Status = "expired"
)

// Grant is one reward given to one user. Instants are 0 where there is none.
type Grant struct {
	ID     string // the user's own
	Reward string
	// By is what it was issued by: "achievement:<id>", "level:<id>", "mission:<id>", "prize:<id>", "coupon:<activity>", "gift:<user>"; "" by a command.
	By    string
	State State
	Count int64 // of entries; at least 1
	Code  string
	// IssuedAt of what a completion gives is the completion's.
	IssuedAt, ClaimedAt, RedeemedAt, ExpiresAt calendar.Instant
	// Hold is what a limited reward's stock knows it by; "" where the reward had no limit.
	Hold string
	// Derived says that a completion gives it.
	Derived bool
	// Told says that its expiry has been told.
	Told bool
}

// Status is how the grant stands at now.
func (g *Grant) Status(now calendar.Instant) Status {
	switch {
	case g.State == Revoked || g.State == Refused:
		return None
	case g.State == Redeemed:
		return StatusRedeemed
	case g.ExpiresAt != 0 && now >= g.ExpiresAt:
		return StatusExpired
	case g.State == Claimed:
		return StatusClaimed
	}
	return StatusIssued
}

// Claim claims the grant; changed is false for one that was claimed. ErrExpired.
func (g *Grant) Claim(now calendar.Instant) (changed bool, err error) {
	switch g.Status(now) {
	case StatusExpired:
		return false, ErrExpired
	case StatusIssued:
		g.State, g.ClaimedAt = Claimed, now
		return true, nil
	}
	return false, nil
}

// Redeem redeems the grant, and claims it if it was not; changed is false for one that was redeemed. ErrExpired.
func (g *Grant) Redeem(now calendar.Instant) (changed bool, err error) {
	if g.State == Redeemed {
		return false, nil
	}
	if _, err := g.Claim(now); err != nil {
		return false, err
	}
	g.State, g.RedeemedAt = Redeemed, now
	return true, nil
}

// Issue makes the grant one that was issued at an instant, for so long (0: for ever).
func (g *Grant) Issue(at calendar.Instant, lasts time.Duration) {
	g.State, g.IssuedAt, g.ExpiresAt, g.Told = Issued, at, 0, false
	if lasts > 0 {
		g.ExpiresAt = at + calendar.Instant(lasts.Milliseconds())
	}
}

// Expiring is when time will have something to tell of the grant, 0 for never.
func (g *Grant) Expiring() calendar.Instant {
	if g.State != Issued && g.State != Claimed || g.Told {
		return 0
	}
	return g.ExpiresAt
}

// record is a grant as it is stored, under its id; instants in ms.
type record struct {
	Reward   string `json:"r"`
	By       string `json:"by,omitzero"`
	State    State  `json:"s,omitzero"`
	Count    int64  `json:"n,omitzero"` // of more than one
	Code     string `json:"code,omitzero"`
	Issued   int64  `json:"at,omitzero"`
	Claimed  int64  `json:"claimed,omitzero"`
	Redeemed int64  `json:"redeemed,omitzero"`
	Expires  int64  `json:"expires,omitzero"`
	Hold     string `json:"hold,omitzero"`
	Derived  bool   `json:"derived,omitzero"`
	Told     bool   `json:"told,omitzero"`
}

// Record is the grant as it is stored, under its id.
func (g *Grant) Record() (string, error) {
	r := record{Reward: g.Reward, By: g.By, State: g.State, Code: g.Code, Issued: int64(g.IssuedAt), Claimed: int64(g.ClaimedAt), Redeemed: int64(g.RedeemedAt),
		Expires: int64(g.ExpiresAt), Hold: g.Hold, Derived: g.Derived, Told: g.Told}
	if g.Count > 1 {
		r.Count = g.Count
	}
	b, err := json.Marshal(&r, json.Deterministic(true))
	return string(b), err
}

// ParseRecord is the inverse of Record.
func ParseRecord(id, text string) (Grant, error) {
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return Grant{}, fmt.Errorf("grant %q: %w", id, err)
	}
	if r.State > Refused {
		return Grant{}, fmt.Errorf("grant %q: state %d", id, r.State)
	}
	return Grant{ID: id, Reward: r.Reward, By: r.By, State: r.State, Count: max(r.Count, 1), Code: r.Code, IssuedAt: calendar.Instant(r.Issued),
		ClaimedAt: calendar.Instant(r.Claimed), RedeemedAt: calendar.Instant(r.Redeemed), ExpiresAt: calendar.Instant(r.Expires), Hold: r.Hold, Derived: r.Derived, Told: r.Told}, nil
}

// Set is a user's grants by id, as stored.
type Set map[string]Grant

// ParseSet reads a user's hash.
func ParseSet(hash map[string]string) (Set, error) {
	set := make(Set, len(hash))
	for id, text := range hash {
		g, err := ParseRecord(id, text)
		if err != nil {
			return nil, err
		}
		set[id] = g
	}
	return set, nil
}

// Next is when time will first have something to tell of a grant, 0 for never.
func (s Set) Next() (next calendar.Instant) {
	for _, g := range s {
		if at := g.Expiring(); at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	return next
}
