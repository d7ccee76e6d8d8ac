package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Signed is the kind of an identity that a signed token stands for: what an application's backend hands to its page. It is no kind of key.
const Signed Kind = "token"

// Bounds of signed tokens.
const (
	DefaultTTL = time.Hour
	MaxTTL     = 24 * time.Hour

	maxSigned       = 8 << 10 // bytes: fits a URL and a header
	maxTokenBoards  = 32
	maxTokenOrigins = 8
	maxUser         = 128
	maxBoard        = 192 // a rule and a period

	// leeway is how far the clocks of two nodes may be apart.
	leeway = 30 * time.Second
	// longest is how long a token may still be good, its seconds being whole.
	longest = calendar.Instant((MaxTTL + leeway + time.Second) / time.Millisecond)
	// audience begins the only audience of a token; the org follows.
	audience = "laurel/"
)

// Boards are those that a signed token is for: "rule" for every period of the rule, "rule/period" for that one, written as requests write it ("commits/week" is the current
// week and neither "commits/week~1" nor "commits/2026-W47"). Segments of a rule go with it. nil: every board. Empty: none.
type Boards []string

// Allow says whether the board is among them.
func (b Boards) Allow(rule, period string) bool {
	return b == nil || slices.ContainsFunc(b, func(one string) bool {
		r, p, narrowed := strings.Cut(one, "/")
		return r == rule && (!narrowed || p == period)
	})
}

// AllowSome says whether a board of the rule is among them.
func (b Boards) AllowSome(rule string) bool {
	return b == nil || slices.ContainsFunc(b, func(one string) bool {
		r, _, _ := strings.Cut(one, "/")
		return r == rule
	})
}

// TokenSpec describes a token to be signed.
type TokenSpec struct {
	User    activity.User // whose own data it shows beside boards; "": nobody's
	Boards  Boards        // at most 32
	TTL     time.Duration // 0: DefaultTTL; at most MaxTTL
	Origins []string      // of pages that may use it, as of publishable keys; at most 8; none: any
}

// claims is what a token says. Only tokens.… secrets sign it, so that whatever carries a good signature was written by Sign.
type claims struct {
	jwt.RegisteredClaims
	Key     string   `json:"key"` // id of the API key that it was made with, and ends with
	Boards  Boards   `json:"boards,omitzero"`
	Origins []string `json:"origins,omitempty"`
}

var errAudience = errors.New("not for this service")

// Validate implements jwt.ClaimsValidator.
func (c *claims) Validate() error {
	if len(c.Audience) != 1 || !strings.HasPrefix(c.Audience[0], audience) {
		return errAudience
	}
	return nil
}

func (c *claims) org() activity.Org { return activity.Org(strings.TrimPrefix(c.Audience[0], audience)) }

func (s *TokenSpec) check() error {
	switch {
	case len(s.User) > maxUser || !printable(string(s.User)):
		return &SpecError{"user", "must be 1 to 128 bytes of UTF-8 without control characters"}
	case s.TTL < 0 || s.TTL > MaxTTL || s.TTL%time.Second != 0:
		return &SpecError{"expires_in", "must be 1 to 86400 seconds"}
	case len(s.Boards) > maxTokenBoards:
		return &SpecError{"boards", fmt.Sprintf("must be at most %d", maxTokenBoards)}
	case len(s.Origins) > maxTokenOrigins:
		return &SpecError{"origins", fmt.Sprintf("must be at most %d", maxTokenOrigins)}
	}
	for i, b := range s.Boards {
		rule, period, narrowed := strings.Cut(b, "/")
		if rule == "" || narrowed && period == "" || strings.Contains(period, "/") || len(b) > maxBoard || !printable(b) {
			return &SpecError{fmt.Sprintf("boards[%d]", i), "must be a rule or rule/period"}
		}
	}
	for i, o := range s.Origins {
		if fault := checkOrigin(o); fault != "" {
			return &SpecError{fmt.Sprintf("origins[%d]", i), fault}
		}
	}
	return nil
}

// Sign makes a token of the org in the name of a key. It is good on every node, until it expires or the key ends. *SpecError.
func (k *Keys) Sign(by *Identity, org activity.Org, s TokenSpec) (token string, expires calendar.Instant, err error) {
	if err := s.check(); err != nil {
		return "", 0, err
	}
	if s.TTL == 0 {
		s.TTL = DefaultTTL
	}
	now := time.UnixMilli(int64(k.clock.Now()))
	end := now.Add(s.TTL + time.Second - time.Millisecond).Truncate(time.Second) // tokens tell whole seconds; it must not end early
	if by.ExpiresAt != 0 {
		if last := time.UnixMilli(int64(by.ExpiresAt)); end.After(last) {
			end = last.Truncate(time.Second)
		}
	}
	with := k.ring.Load().current(calendar.Instant(now.UnixMilli()))
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, &claims{Key: by.KeyID(org), Boards: s.Boards, Origins: s.Origins,
		RegisteredClaims: jwt.RegisteredClaims{Audience: jwt.ClaimStrings{audience + string(org)}, Subject: string(s.User),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(end)}})
	t.Header["kid"] = with.name
	text, err := t.SignedString(with.secret)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("sign token: %w", err)
	case len(text) > maxSigned:
		return "", 0, &SpecError{"boards", "and origins are too long for a token"}
	}
	return text, calendar.Instant(end.UnixMilli()), nil
}

// IsSigned says whether the text has the form of a signed token, good or not, rather than of a key.
func IsSigned(token string) bool {
	return strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2
}

func (k *Keys) newParser() *jwt.Parser {
	return jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return time.UnixMilli(int64(k.clock.Now())) }))
}

// AuthenticateSigned is Authenticate for where a token is seen by more than the two ends, as in a URL: keys are refused. ErrUnauthorized, ErrForbidden.
func (k *Keys) AuthenticateSigned(token, origin string) (*Identity, error) {
	if !IsSigned(token) || len(token) > maxSigned {
		return nil, ErrUnauthorized
	}
	var c claims
	t, err := k.parser.ParseWithClaims(token, &c, k.verifier)
	if err != nil {
		return nil, ErrUnauthorized // which check failed is nobody's business
	}
	now := k.clock.Now()
	expires := calendar.Instant(c.ExpiresAt.UnixMilli())
	if !k.Good(c.org(), c.Key) || expires > now+longest { // longer than Sign makes them: whoever has a secret that was rotated away has no connection that outlives it
		return nil, ErrUnauthorized
	}
	if origin != "" && len(c.Origins) > 0 && !originIn(c.Origins, origin) {
		return nil, ErrForbidden
	}
	kid, _ := t.Header["kid"].(string)
	if expires <= now { // within the leeway
		expires += calendar.Instant(leeway.Milliseconds())
	}
	return &Identity{KeyIDs: []string{c.Key}, Kind: Signed, Orgs: []activity.Org{c.org()}, Scopes: []Scope{BoardsRead}, Origins: c.Origins, ExpiresAt: expires,
		User: activity.User(c.Subject), Boards: c.Boards, Secret: kid}, nil
}

// Good says whether the org's key is neither unknown nor revoked nor expired: what whoever was authenticated a while ago must ask again.
func (k *Keys) Good(org activity.Org, keyID string) bool {
	r, ok := k.table.Load().records[keyID]
	return ok && r.Org == org && r.Revoked == 0 && (r.Expires == 0 || r.Expires > k.clock.Now())
}
