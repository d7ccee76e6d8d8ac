package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
)

// Person is a user at one moment, for those who write a user in another shape than this package does. What it says is what User writes: both are made of the
// same state by the same functions.
type Person struct {
	Org     activity.Org
	User    activity.User
	Profile profile.Record
	// Zone is the user's, else the org's.
	Zone    *time.Location
	Now     calendar.Instant
	Catalog *catalog.Catalog

	// What the native API writes of what its catalog defines, each in the order of the catalog's list.
	Streaks      []Streak
	Wallets      []Wallet
	Levels       []Level
	Achievements []Achievement
	Missions     []Mission

	moment *moment
}

// The objects of the native API's answers.
type (
	Streak       = streakObject
	StreakPeriod = historyObject
	Wallet       = walletObject
	Level        = levelObject
	Achievement  = achievementObject
	Mission      = missionObject
)

// Person reads everything about a user but places on boards. ErrUserNotFound, ErrUserMerged.
func (r *Reader) Person(ctx context.Context, org activity.Org, user activity.User) (*Person, error) {
	m, err := r.moment(ctx, org, user, nil)
	if err != nil {
		return nil, err
	}
	p := &Person{Org: org, User: user, Zone: m.plan.Catalog.Zone, Now: m.now, Catalog: m.plan.Catalog, moment: m}
	if p.Profile, err = r.ingest.Profile(ctx, org, user); err != nil {
		return nil, err
	}
	if n := len(m.state.Zones); n > 0 {
		if p.Zone, err = time.LoadLocation(m.state.Zones[n-1].Name); err != nil {
			return nil, fmt.Errorf("zone of user %q of org %s: %w", user, org, err)
		}
	}
	o := earned(m, m.state.DeriveEarned(m.plan, m.now))
	p.Wallets, p.Levels, p.Achievements, p.Missions = o.Wallets, o.Levels, o.Achievements, o.Missions
	p.Streaks = r.showStreaks(m)
	return p, nil
}

// Wallet is how the user stands with a wallet of the catalog; the zero value for nil.
func (p *Person) Wallet(w *catalog.Wallet) Wallet {
	if w != nil {
		if i, some := p.Catalog.Find(catalog.Wallets, w.ID); some {
			return p.Wallets[i]
		}
	}
	return Wallet{}
}

// Total is the user's value of a rule over all time; the rule must have the cycle all.
func (p *Person) Total(rule *catalog.Rule) Score {
	total := Score{Decimals: rule.Decimals}
	if tally := p.moment.state.Tally(rule.ID, calendar.All.String(), 0); tally != nil {
		total.Scaled = tally.Value
	}
	return total
}

// Ledger is what is still known one by one of what a user did and was given: newest first.
type Ledger struct {
	// Rows are those of the wallets that were asked for, in that order.
	Rows [][]progress.WalletRow
	// Records are the user's activities, the rejected and ignored ones too, in no order.
	Records []activity.Activity
	// Since is up to when all is known: what is older was summed up. 0: everything.
	Since calendar.Instant
}

// Ledger reads the rows of wallets of the person's catalog, and the activities. It costs a read of the user's log.
func (r *Reader) Ledger(ctx context.Context, p *Person, wallets ...*catalog.Wallet) (*Ledger, error) {
	base, records, err := r.ingest.Base(ctx, p.Org, p.User)
	if err != nil {
		return nil, err
	}
	l := &Ledger{Rows: make([][]progress.WalletRow, len(wallets)), Records: records, Since: p.moment.state.Sealed}
	for k, w := range wallets {
		if w == nil {
			continue
		}
		i, _ := p.Catalog.Find(catalog.Wallets, w.ID)
		l.Rows[k], err = p.moment.state.WalletRows(p.moment.plan, i, base, records, p.Now)
		if err != nil && !errors.Is(err, fold.ErrRange) {
			return nil, err
		}
	}
	return l, nil
}

// Find is the user who has a value of a unique field (profile.Unique). ErrUserNotFound; *ParamError for what no user can have.
func (r *Reader) Find(ctx context.Context, org activity.Org, field, text string) (activity.User, error) {
	user, err := r.ingest.Find(ctx, org, field, text)
	var wrong *profile.FieldError
	switch {
	case errors.As(err, &wrong):
		return "", &ParamError{Field: wrong.Field, Detail: wrong.Detail}
	case errors.Is(err, ingest.ErrUserNotFound):
		return "", ErrUserNotFound
	}
	return user, err
}
