package query

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/ingest"
)

// GrantQuery is which of a user's grants are asked for; what is "" does not narrow.
type GrantQuery struct {
	Status grants.Status
	Reward string
	Type   string // asset or entry
	By     string // a kind of what issues: achievement, level, mission, prize, coupon, gift
	Sort   string // issued_at, expires_at (what never expires comes last), each with - for descending; "" is -issued_at
	Limit  int
	Before string // next of an earlier page
}

// GrantSorts are the sorts of GrantQuery.
func GrantSorts() []string { return []string{"issued_at", "-issued_at", "expires_at", "-expires_at"} }

// grantObject is a grant on the wire.
type grantObject struct {
	User   activity.User `json:"user,omitempty"` // where a code was looked up
	ID     string        `json:"id"`
	Reward string        `json:"reward"`
	Type   string        `json:"type"`
	shownObject
	Status           grants.Status    `json:"status"`
	EntryCount       int64            `json:"entry_count,omitzero"`
	Code             string           `json:"code,omitempty"`
	By               string           `json:"by,omitempty"`
	Paid             *paidObject      `json:"paid,omitempty"` // of a coupon whose purchase is not sealed
	IssuedAt         calendar.Instant `json:"issued_at"`
	ClaimedAt        calendar.Instant `json:"claimed_at,omitzero"`
	RedeemedAt       calendar.Instant `json:"redeemed_at,omitzero"`
	ExpiresAt        calendar.Instant `json:"expires_at,omitzero"`
	EventCategory    string           `json:"event_category,omitempty"`
	EventSubCategory string           `json:"event_sub_category,omitempty"`
	Community        string           `json:"community,omitempty"`
	RedeemableType   string           `json:"redeemable_type,omitempty"`
}

// paidObject is what a coupon cost when it was bought.
type paidObject struct {
	Wallet string `json:"wallet"`
	Points Score  `json:"points"`
}

// typeOf is asset or entry.
func typeOf(def *catalog.Reward) string {
	if def.Entry {
		return "entry"
	}
	return "asset"
}

func showGrant(c *catalog.Catalog, g *grants.Grant, now calendar.Instant) grantObject {
	o := grantObject{ID: g.ID, Reward: g.Reward, Status: g.Status(now), Code: g.Code, By: g.By, IssuedAt: g.IssuedAt, ClaimedAt: g.ClaimedAt,
		RedeemedAt: g.RedeemedAt, ExpiresAt: g.ExpiresAt}
	if i, ok := c.Find(catalog.Rewards, g.Reward); ok {
		def := c.Rewards[i]
		o.Type, o.shownObject = typeOf(def), shown(&def.Shown)
		o.EventCategory, o.EventSubCategory, o.Community, o.RedeemableType = def.EventCategory, def.EventSubCategory, def.Community, def.RedeemableType
		if def.Entry {
			o.EntryCount = g.Count
		}
	}
	return o
}

func (r *Reader) grants(ctx context.Context, org activity.Org, user activity.User) (grants.Set, error) {
	if _, err := r.state(ctx, org, user); err != nil {
		return nil, err
	}
	return r.ingest.Grants(ctx, org, user)
}

// UserGrants are a user's grants that are shown, newest first. ErrUserNotFound, ErrUserMerged.
func (r *Reader) UserGrants(ctx context.Context, org activity.Org, user activity.User) ([]grants.Grant, error) {
	set, err := r.grants(ctx, org, user)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	list := make([]grants.Grant, 0, len(set))
	for _, g := range set {
		if g.Status(now) != grants.None {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, (&GrantQuery{}).order)
	return list, nil
}

// key is what a grant is ordered by.
func (q *GrantQuery) key(g *grants.Grant) calendar.Instant {
	switch {
	case !strings.HasSuffix(q.Sort, "expires_at"):
		return g.IssuedAt
	case g.ExpiresAt != 0:
		return g.ExpiresAt
	case q.Sort == "expires_at":
		return math.MaxInt64
	}
	return 0
}

func (q *GrantQuery) order(a, b grants.Grant) int {
	n := cmp.Or(cmp.Compare(q.key(&a), q.key(&b)), cmp.Compare(a.ID, b.ID))
	if q.Sort == "" || strings.HasPrefix(q.Sort, "-") {
		return -n
	}
	return n
}

func (q *GrantQuery) takes(c *catalog.Catalog, g *grants.Grant, now calendar.Instant) bool {
	kind, _, _ := strings.Cut(g.By, ":")
	i, known := c.Find(catalog.Rewards, g.Reward)
	return (q.Status == "" || g.Status(now) == q.Status) && (q.Reward == "" || g.Reward == q.Reward) && (q.By == "" || kind == q.By) &&
		(q.Type == "" || known && typeOf(c.Rewards[i]) == q.Type)
}

// Rewards reads a page of a user's grants, as a JSON object. ErrUserNotFound, ErrUserMerged, ErrBadCursor.
func (r *Reader) Rewards(ctx context.Context, org activity.Org, user activity.User, q GrantQuery) ([]byte, error) {
	plan, _, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	all, err := r.UserGrants(ctx, org, user)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	all = slices.DeleteFunc(all, func(g grants.Grant) bool { return !q.takes(plan.Catalog, &g, now) })
	slices.SortFunc(all, q.order)
	listing := []string{"rewards", string(org), string(user), string(q.Status), q.Reward, q.Type, q.By, q.Sort}
	o := struct {
		Total   int           `json:"total"`
		Rewards []grantObject `json:"rewards"`
		Next    string        `json:"next,omitempty"`
	}{Total: len(all), Rewards: []grantObject{}}
	if q.Before != "" {
		from, err := parsePlace(r.sealer, q.Before, listing...)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(g grants.Grant) bool { return !q.after(&g, from) })
	}
	shown := all[:min(q.Limit, len(all))]
	paid, err := r.paid(ctx, org, user, shown)
	if err != nil {
		return nil, err
	}
	for i := range shown {
		grant := showGrant(plan.Catalog, &shown[i], now)
		grant.Paid = paid[grant.By]
		o.Rewards = append(o.Rewards, grant)
	}
	if len(all) > q.Limit {
		last := &all[q.Limit-1]
		o.Next = sealPlace(r.sealer, ingest.Place{At: q.key(last), ID: activity.ID(last.ID)}, listing...)
	}
	return json.Marshal(o, json.Deterministic(true))
}

// after says whether a grant comes after a place.
func (q *GrantQuery) after(g *grants.Grant, from *ingest.Place) bool {
	n := cmp.Or(cmp.Compare(q.key(g), from.At), cmp.Compare(g.ID, string(from.ID)))
	if q.Sort == "" || strings.HasPrefix(q.Sort, "-") {
		return n < 0
	}
	return n > 0
}

// Grant reads one grant of a user, as a JSON object. ErrUserNotFound, ErrUserMerged, ingest.ErrGrantNotFound.
func (r *Reader) Grant(ctx context.Context, org activity.Org, user activity.User, id string) ([]byte, error) {
	plan, _, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	set, err := r.grants(ctx, org, user)
	if err != nil {
		return nil, err
	}
	g, there := set[id]
	if !there || g.Status(r.clock.Now()) == grants.None {
		return nil, ingest.ErrGrantNotFound
	}
	return json.Marshal(showGrant(plan.Catalog, &g, r.clock.Now()), json.Deterministic(true))
}

// FindGrant reads the grant that has a code, with the user who has it, as a JSON object. ingest.ErrGrantNotFound.
func (r *Reader) FindGrant(ctx context.Context, org activity.Org, code string) ([]byte, error) {
	plan, _, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	user, g, err := r.ingest.FindGrant(ctx, org, code)
	if err != nil {
		return nil, err
	}
	o := showGrant(plan.Catalog, &g, r.clock.Now())
	o.User = user
	return json.Marshal(o, json.Deterministic(true))
}

// rewardObject is a reward with what is left of it.
type rewardObject struct {
	Reward string `json:"reward"`
	shownObject
	Type   string           `json:"type"`
	Price  *rewardPrice     `json:"price,omitempty"`
	Limits *rewardRemainder `json:"stock,omitempty"` // of one that is limited
}

type rewardPrice struct {
	Wallet string `json:"wallet"`
	Points Score  `json:"points"`
}

type rewardRemainder struct {
	Total  int64 `json:"total"`
	Issued int64 `json:"issued"`
	Left   int64 `json:"left"`
}

// RewardList reads the org's rewards with what is left of them, as a JSON object.
func (r *Reader) RewardList(ctx context.Context, org activity.Org) ([]byte, error) {
	plan, _, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	held, err := r.ingest.Held(ctx, org)
	if err != nil {
		return nil, err
	}
	list, c := []rewardObject{}, plan.Catalog
	for _, def := range c.Rewards {
		o := rewardObject{Reward: def.ID, shownObject: shown(&def.Shown), Type: typeOf(def)}
		if def.Price != nil {
			w := c.Wallets[def.Price.Wallet]
			o.Price = &rewardPrice{w.ID, Score{def.Price.Amount, w.Decimals}}
		}
		if n, limited := held[def.ID]; limited {
			o.Limits = &rewardRemainder{def.Stock, n, max(def.Stock-n, 0)}
		}
		list = append(list, o)
	}
	return json.Marshal(struct {
		Rewards []rewardObject `json:"rewards"`
	}{list}, json.Deterministic(true))
}

// paid reads what the coupons among some grants cost, by what they were issued by.
func (r *Reader) paid(ctx context.Context, org activity.Org, user activity.User, some []grants.Grant) (map[string]*paidObject, error) {
	var bought []activity.ID
	for i := range some {
		if id, is := strings.CutPrefix(some[i].By, couponPrefix); is {
			bought = append(bought, activity.ID(id))
		}
	}
	if len(bought) == 0 {
		return nil, nil
	}
	records, err := r.ingest.Recorded(ctx, org, user, bought)
	if err != nil {
		return nil, err
	}
	paid := make(map[string]*paidObject, len(records))
	for i := range records {
		if d := records[i].Decided; d != nil && len(d.Own.Rows) > 0 {
			row := &d.Own.Rows[0]
			paid[couponPrefix+string(records[i].ID)] = &paidObject{row.Wallet, Score{-row.Amount, int(row.Decimals)}}
		}
	}
	return paid, nil
}

const couponPrefix = "coupon:"
