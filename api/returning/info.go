package returning

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/query"
)

// InfoRequest asks for one user.
type InfoRequest struct {
	IDOrEmail    string   `json:"idOrEmail"`
	CustomFields []string `json:"customFields,omitempty" doc:"The custom fields that are wanted"`
}

// InfoAnswer is what a user is.
type InfoAnswer struct {
	Status string `json:"status" enum:"success"`
	Data   Info   `json:"data"`
}

// Number is a number as the native API writes it.
type Number = query.Score

// Info is a user's data: every field is always there.
type Info struct {
	ID               string                    `json:"_id"`
	UserID           string                    `json:"userId" doc:"external_id, else the id"`
	Username         string                    `json:"username"`
	XP               Number                    `json:"xp" doc:"Balance of the wallet doors.returning.xp"`
	Coins            Number                    `json:"coins" doc:"Balance of the wallet doors.returning.coins"`
	Roles            []string                  `json:"roles" nullable:"false" doc:"@all, and the tags that begin with @"`
	HighestRole      string                    `json:"highestRole" doc:"The first of doors.returning.roles that the user has"`
	FirstName        string                    `json:"firstName"`
	LastName         string                    `json:"lastName"`
	XPEarnedToday    Number                    `json:"xpEarnedToday" doc:"Since the user's local midnight"`
	CoinsEarnedToday Number                    `json:"coinsEarnedToday"`
	Language         string                    `json:"language" doc:"Its English name"`
	TotalMessages    Number                    `json:"totalMessages" doc:"These are the rules of doors.returning.counters, over all time"`
	TotalReactions   Number                    `json:"totalReactions"`
	VisitCount       Number                    `json:"visitCount"`
	ReplySent        Number                    `json:"replySent"`
	TimeSpent        Number                    `json:"timeSpent"`
	LoginStreak      int                       `json:"loginStreak" doc:"Current length of the streak doors.returning.counters.loginStreak"`
	CustomFields     map[string]jsontext.Value `json:"customFields" nullable:"false" doc:"Of those asked for, those that are set"`
	Tags             []string                  `json:"tags" nullable:"false" doc:"The tags that do not begin with @"`
}

// everyone is the role of all users.
const everyone = "@all"

// Info answers a request for one user. query.ErrUserNotFound, and errors of the reads.
func (d *Door) Info(ctx context.Context, org activity.Org, r *InfoRequest) (*InfoAnswer, error) {
	p, err := d.person(ctx, org, r.IDOrEmail)
	if err != nil {
		return nil, err
	}
	door := &p.Catalog.Doors.Returning
	ledger, err := d.Reads.Ledger(ctx, p, door.XP, door.Coins)
	if err != nil {
		return nil, err
	}
	days := daysOf(p, ledger)
	today := days.earned[days.today()]
	info := Info{
		ID: string(p.User), UserID: cmp.Or(p.Profile.ExternalID, string(p.User)), Username: p.Profile.Username, XP: p.Wallet(door.XP).Balance, Coins: p.Wallet(door.Coins).Balance,
		FirstName: p.Profile.FirstName, LastName: p.Profile.LastName, XPEarnedToday: days.amount(0, today.of[0]), CoinsEarnedToday: days.amount(1, today.of[1]),
		Language: languageName(p.Profile.Language), LoginStreak: loginStreak(p), CustomFields: map[string]jsontext.Value{},
	}
	info.Roles, info.HighestRole, info.Tags = roles(p.Profile.Tags, door.Roles)
	for field, to := range map[string]*Number{"totalMessages": &info.TotalMessages, "totalReactions": &info.TotalReactions, "visitCount": &info.VisitCount,
		"replySent": &info.ReplySent, "timeSpent": &info.TimeSpent} {
		if rule := door.Counters[field]; rule != nil {
			*to = p.Total(rule)
		}
	}
	for _, name := range r.CustomFields {
		if v, set := p.Profile.Fields[name]; set {
			info.CustomFields[name] = v
		}
	}
	return &InfoAnswer{success, info}, nil
}

// roles tells a user's roles from the other tags. ranked are the roles from the highest on.
func roles(tags, ranked []string) (has []string, highest string, rest []string) {
	has, highest, rest = []string{everyone}, everyone, []string{}
	for _, t := range tags {
		switch {
		case !strings.HasPrefix(t, "@"):
			rest = append(rest, t)
		case !slices.Contains(has, t):
			has = append(has, t)
		}
	}
	if i := slices.IndexFunc(ranked, func(r string) bool { return slices.Contains(has, r) }); i >= 0 {
		highest = ranked[i]
	}
	return has, highest, rest
}

func loginStreak(p *query.Person) int {
	if s := p.Catalog.Doors.Returning.LoginStreak; s != nil {
		return p.Streaks[slices.Index(p.Catalog.Streaks, s)].Current
	}
	return 0
}

// languageName is the English name of a language: "English" of en; "" of none.
func languageName(tag string) string {
	t, err := language.Parse(tag)
	if tag == "" || err != nil {
		return ""
	}
	return display.English.Tags().Name(t)
}

// days are what a user did and earned, by the user's local date.
type days struct {
	calendar *calendar.Calendar
	now      calendar.Instant
	known    calendar.Date // the first that is known whole
	decimals [2]int
	earned   map[calendar.Date]sums
}

// sums are of xp and coins.
type sums struct{ of [2]int64 }

func daysOf(p *query.Person, l *query.Ledger) *days {
	d := &days{calendar: &calendar.Calendar{Zone: p.Zone}, now: p.Now, earned: map[calendar.Date]sums{}}
	if l.Since > 0 {
		d.known = d.calendar.DateAt(l.Since-1) + 1
	}
	for k, w := range []*catalog.Wallet{p.Catalog.Doors.Returning.XP, p.Catalog.Doors.Returning.Coins} {
		if w == nil {
			continue
		}
		d.decimals[k] = w.Decimals
		for i := range l.Rows[k] {
			if row := &l.Rows[k][i]; isEarning(row) {
				date := d.calendar.DateAt(row.At)
				s := d.earned[date]
				s.of[k] += row.Amount
				d.earned[date] = s
			}
		}
	}
	return d
}

func (d *days) today() calendar.Date { return d.calendar.DateAt(d.now) }

// amount is a number of xp (0) or coins (1).
func (d *days) amount(k int, n int64) Number { return Number{Scaled: n, Decimals: d.decimals[k]} }
