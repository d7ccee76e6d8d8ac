package query

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// ErrWalletNotFound says that the org has no such wallet.
var ErrWalletNotFound = errors.New("org has no such wallet")

// earnedObject is what a user has earned (docs/REWARDS.md); lists of what the org does not define are left out.
type earnedObject struct {
	Wallets      []walletObject      `json:"wallets,omitempty"`
	Levels       []levelObject       `json:"levels,omitempty"`
	Achievements []achievementObject `json:"achievements,omitempty"`
	Missions     []missionObject     `json:"missions,omitempty"`
}

type shownObject struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Banner      string `json:"banner,omitempty"`
}

type walletObject struct {
	Wallet string `json:"wallet"`
	shownObject
	Balance    Score            `json:"balance"`
	Earned     Score            `json:"earned"`
	Redeemed   Score            `json:"redeemed"`
	Spent      Score            `json:"spent"`
	Refunded   Score            `json:"refunded"`
	Set        Score            `json:"set"`
	Expired    Score            `json:"expired"`
	Categories map[string]Score `json:"categories,omitempty"`
	Expiring   *expiringObject  `json:"expiring,omitempty"` // what expires next
}

type expiringObject struct {
	Amount Score            `json:"amount"`
	At     calendar.Instant `json:"at"`
}

type levelObject struct {
	Level string `json:"level"`
	shownObject
	Wallet   string      `json:"wallet"`
	Step     int         `json:"step"`
	StepName string      `json:"step_name,omitempty"`
	Next     *nextObject `json:"next,omitempty"`
}

type nextObject struct {
	Name    string `json:"name"`
	At      Score  `json:"at"`
	Missing Score  `json:"missing"`
}

type partObject struct {
	Of          string `json:"of"` // what it looks at, as the type and the name of it
	Progress    Score  `json:"progress"`
	ProgressMax Score  `json:"progress_max"`
	Met         bool   `json:"met"`
}

type achievementObject struct {
	Achievement string `json:"achievement"`
	shownObject
	Per         string           `json:"per"`
	Progress    Score            `json:"progress"`
	ProgressMax Score            `json:"progress_max"`
	Completed   bool             `json:"completed"`
	CompletedAt calendar.Instant `json:"completed_at,omitzero"`
	Times       int              `json:"times"`
	FirstAt     calendar.Instant `json:"first_completed_at,omitzero"`
	LastAt      calendar.Instant `json:"last_completed_at,omitzero"`
	Criteria    []partObject     `json:"criteria,omitempty"` // where there are several
}

type missionObject struct {
	Mission string `json:"mission"`
	shownObject
	Status      string           `json:"status"`
	Startable   bool             `json:"startable"`
	Attempts    int              `json:"attempts"`
	MaxAttempts int              `json:"max_attempts"`
	StartedAt   calendar.Instant `json:"started_at,omitzero"`
	CompletedAt calendar.Instant `json:"completed_at,omitzero"`
	FailedAt    calendar.Instant `json:"failed_at,omitzero"`
	Deadline    calendar.Instant `json:"deadline,omitzero"`
	SuccessRate float64          `json:"success_rate"`
	Needs       []partObject     `json:"needs"`
}

func shown(s *catalog.Shown) shownObject { return shownObject{s.Name, s.Description, s.Banner} }

// earned shows everything that a user has earned.
func earned(m *moment, v *rewards.View) earnedObject {
	var o earnedObject
	for i := range v.Wallets {
		o.Wallets = append(o.Wallets, showWallet(m.plan, i, &v.Wallets[i]))
	}
	c := m.plan.Catalog
	for i := range v.Levels {
		o.Levels = append(o.Levels, showLevel(c, c.Levels[i], &v.Levels[i]))
	}
	for i := range v.Achievements {
		o.Achievements = append(o.Achievements, showAchievement(c, i, v))
	}
	for i := range v.Missions {
		o.Missions = append(o.Missions, showMission(c, i, v))
	}
	return o
}

func showWallet(p *progress.Plan, i int, w *rewards.Wallet) walletObject {
	def := p.Catalog.Wallets[i]
	amount := func(n int64) Score { return Score{n, def.Decimals} }
	o := walletObject{
		Wallet: def.ID, shownObject: shown(&def.Shown), Balance: amount(w.Balance), Earned: amount(w.Earned), Redeemed: amount(w.Redeemed), Spent: amount(w.Spent),
		Refunded: amount(w.Refunded), Set: amount(w.Set), Expired: amount(w.Expired),
	}
	if def.Categories {
		o.Categories = map[string]Score{}
		for k, n := range w.Categories {
			o.Categories[catalog.Category(k+1).String()] = amount(n)
		}
	}
	if len(w.Lots) > 0 {
		o.Expiring = &expiringObject{amount(w.Lots[0].Left), p.Ends(i, w.Lots[0])}
	}
	return o
}

func showLevel(c *catalog.Catalog, def *catalog.Level, l *rewards.Level) levelObject {
	wallet := c.Wallets[def.Wallet]
	o := levelObject{Level: def.ID, shownObject: shown(&def.Shown), Wallet: wallet.ID, Step: l.Index}
	if l.Index > 0 {
		o.StepName = def.Steps[l.Index-1].Name
	}
	if l.Index < len(def.Steps) {
		next := &def.Steps[l.Index]
		o.Next = &nextObject{next.Name, Score{next.At, wallet.Decimals}, Score{l.Missing, wallet.Decimals}}
	}
	return o
}

func showAchievement(c *catalog.Catalog, i int, v *rewards.View) achievementObject {
	def, a := c.Achievements[i], &v.Achievements[i]
	per := def.Per
	if def.Rank != nil {
		per = def.Rank.Cycle
	}
	o := achievementObject{
		Achievement: def.ID, shownObject: shown(&def.Shown), Per: per.Unit.String(), Completed: a.Met, CompletedAt: a.CompletedAt,
		Times: a.Times, FirstAt: a.FirstAt, LastAt: a.LastAt,
	}
	decimals := 0
	parts := v.Criteria(i)
	for k, part := range parts {
		d := def.Criteria[k].Decimals
		o.Criteria = append(o.Criteria, showPart(criterionOf(c, &def.Criteria[k]), part, d))
		if !def.All && part.Progress == a.Progress && part.Max == a.Max || len(parts) == 1 {
			decimals = d
		}
	}
	if len(parts) == 1 {
		o.Criteria = nil
	}
	o.Progress, o.ProgressMax = Score{a.Progress, decimals}, Score{a.Max, decimals}
	return o
}

func showPart(of string, p rewards.Part, decimals int) partObject {
	return partObject{of, Score{p.Progress, decimals}, Score{p.Max, decimals}, p.Met}
}

// criterionOf names what a criterion looks at: "streak:daily-commit", "behaviour:commit,push", "point" for activities of any name, "activity" for those of any kind.
func criterionOf(c *catalog.Catalog, of *catalog.Criterion) string {
	switch of.Kind {
	case catalog.OfStreak:
		return "streak:" + c.Streaks[of.Of].ID
	case catalog.OfWallet:
		return "wallet:" + c.Wallets[of.Of].ID
	case catalog.OfLevel, catalog.OfAchievement:
		return needOf(c, of.Kind, of.Of)
	}
	kind := of.Selector.Kind.String()
	if of.AnyKind {
		kind = "activity"
	}
	if len(of.Names) == 0 {
		return kind
	}
	return kind + ":" + strings.Join(of.Names, ",")
}

// needOf names a level or an achievement.
func needOf(c *catalog.Catalog, kind catalog.CriterionKind, i int) string {
	if kind == catalog.OfLevel {
		return "level:" + c.Levels[i].ID
	}
	return "achievement:" + c.Achievements[i].ID
}

func showMission(c *catalog.Catalog, i int, v *rewards.View) missionObject {
	def, m := c.Missions[i], &v.Missions[i]
	o := missionObject{
		Mission: def.ID, shownObject: shown(&def.Shown), Status: m.Status.String(), Startable: m.Startable, Attempts: m.Attempts, MaxAttempts: def.Attempts,
		StartedAt: m.StartedAt, CompletedAt: m.CompletedAt, FailedAt: m.FailedAt, Deadline: m.Deadline, SuccessRate: m.SuccessRate(),
	}
	for k, part := range v.Needs(i) {
		decimals := 0
		switch need := def.Needs[k]; {
		case need.Kind == catalog.OfLevel:
			decimals = c.Wallets[c.Levels[need.Of].Wallet].Decimals
		case len(c.Achievements[need.Of].Criteria) == 1:
			decimals = c.Achievements[need.Of].Criteria[0].Decimals
		}
		o.Needs = append(o.Needs, showPart(needOf(c, def.Needs[k].Kind, def.Needs[k].Of), part, decimals))
	}
	return o
}

// Wallets, Achievements (with levels) and Missions read what a user has earned, as a JSON object. ErrUserNotFound, ErrUserMerged.
func (r *Reader) Wallets(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.earnedPart(ctx, org, user, func(o *earnedObject) any {
		return struct {
			Wallets []walletObject `json:"wallets"`
		}{o.Wallets}
	})
}

// Achievements is documented at Wallets.
func (r *Reader) Achievements(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.earnedPart(ctx, org, user, func(o *earnedObject) any {
		return struct {
			Levels       []levelObject       `json:"levels"`
			Achievements []achievementObject `json:"achievements"`
		}{o.Levels, o.Achievements}
	})
}

// Missions is documented at Wallets.
func (r *Reader) Missions(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.earnedPart(ctx, org, user, func(o *earnedObject) any {
		return struct {
			Missions []missionObject `json:"missions"`
		}{o.Missions}
	})
}

func (r *Reader) earnedPart(ctx context.Context, org activity.Org, user activity.User, part func(*earnedObject) any) ([]byte, error) {
	m, err := r.current(ctx, org, user)
	if err != nil {
		return nil, err
	}
	o := earned(m, m.state.DeriveEarned(m.plan, m.now))
	return json.Marshal(part(&o), json.Deterministic(true))
}

// rowObject is a row of a wallet.
type rowObject struct {
	At          calendar.Instant `json:"at"`
	Type        string           `json:"type"`
	Amount      Score            `json:"amount"`
	Category    string           `json:"category,omitempty"`
	Award       string           `json:"award,omitempty"`
	Activity    activity.ID      `json:"activity,omitempty"`
	Achievement string           `json:"achievement,omitempty"`
	Period      string           `json:"period,omitempty"`
	Mission     string           `json:"mission,omitempty"`
	Kind        string           `json:"kind,omitempty"` // of an activity that was decided, with what it names
	Name        string           `json:"name,omitempty"`
	From        activity.User    `json:"from,omitempty"` // who gave it
}

// Wallet reads one wallet of a user with a page of its rows since the seal, newest first. before is the next of an earlier page, "" for the first. ErrUserNotFound, ErrUserMerged,
// ErrWalletNotFound, ErrBadCursor.
func (r *Reader) Wallet(ctx context.Context, org activity.Org, user activity.User, wallet string, limit int, before string) ([]byte, error) {
	m, err := r.moment(ctx, org, user, nil)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(m.plan.Catalog.Wallets, func(w *catalog.Wallet) bool { return w.ID == wallet })
	if i < 0 {
		return nil, ErrWalletNotFound
	}
	var from *ingest.Place
	if before != "" {
		if from, err = parsePlace(r.sealer, before, "wallet", string(org), string(user), wallet); err != nil {
			return nil, err
		}
	}
	base, records, err := r.ingest.Base(ctx, org, user)
	if err != nil {
		return nil, err
	}
	rows, err := m.state.WalletRows(m.plan, i, base, records, m.now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return nil, err
	}
	if from != nil {
		rows = slices.DeleteFunc(rows, func(row progress.WalletRow) bool {
			return cmp.Or(cmp.Compare(row.At, from.At), cmp.Compare(row.ID(), string(from.ID))) >= 0
		})
	}
	view := m.state.DeriveEarned(m.plan, m.now)
	o := struct {
		walletObject
		Rows  []rowObject      `json:"rows"`
		Since calendar.Instant `json:"since,omitzero"` // what is older is not known row by row
		Next  string           `json:"next,omitempty"`
	}{walletObject: showWallet(m.plan, i, &view.Wallets[i]), Since: m.state.Sealed}
	for k := range rows[:min(limit, len(rows))] {
		o.Rows = append(o.Rows, showRow(&rows[k], m.plan.Catalog.Wallets[i].Decimals))
	}
	if len(rows) > limit {
		last := &rows[limit-1]
		o.Next = sealPlace(r.sealer, ingest.Place{At: last.At, ID: activity.ID(last.ID())}, "wallet", string(org), string(user), wallet)
	}
	return json.Marshal(o, json.Deterministic(true))
}

func showRow(row *progress.WalletRow, decimals int) rowObject {
	o := rowObject{At: row.At, Type: row.Type.String(), Amount: Score{row.Amount, decimals}, Category: row.Category.String(), Activity: row.Activity, Period: row.Period, From: row.Giver}
	switch row.Kind {
	case "award":
		o.Award = row.From
	case "achievement":
		o.Achievement = row.From
	case "mission":
		o.Mission = row.From
	default:
		o.Kind, o.Name = row.Kind, row.From
	}
	return o
}
