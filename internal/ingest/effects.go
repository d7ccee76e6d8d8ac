package ingest

import (
	"context"
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/rewards"
	"laurel/ranking"
	"laurel/streaks"
)

// Effects are what one activity changed.
type Effects struct {
	Boards  []BoardEffect
	Streaks []StreakEffect
	Wallets []WalletEffect
	Grants  []GrantEffect
}

// GrantEffect is a reward that the user was given, or that was taken back, as it is now.
type GrantEffect struct {
	ID, Reward string
	Status     string // of grants.Status; revoked; out_of_stock
	Code       string
	ExpiresAt  calendar.Instant // 0: never
}

// WalletEffect is what became of a wallet. Numbers are scaled by Decimals; Change is how much the balance moved by.
type WalletEffect struct {
	Wallet                  string
	Change, Balance, Earned int64
	Decimals                int
	Decided                 []DecidedRow
}

// DecidedRow is a row that was decided with the activity.
type DecidedRow struct {
	Type   rewards.RowType
	Amount int64
}

// BoardEffect is a user's new place on a board. Rank and RankBefore are in the rule's numbering; 0: unknown or none.
type BoardEffect struct {
	Rule, Cycle, Label string
	Segment            string // of the board, "" for that of everyone
	Value              int64  // scaled by Decimals
	Decimals           int
	Rank, RankBefore   int
}

// StreakEffect is a user's streak after the activity.
type StreakEffect struct {
	Rule             string
	Current, Longest int
	Extended         bool
	State            streaks.State
}

// pendingEffects are effects whose ranks are still to be read; reading may have to load a board, which is not the writer's business.
type pendingEffects struct {
	key     userKey
	boards  []progress.BoardChange
	streaks []StreakEffect
	wallets []WalletEffect
	grants  []GrantEffect
	catalog *catalog.Catalog
}

// effects takes down what the attempt changed. The activities of one user in one batch share them: they became visible together.
func (a *attempt) effects(t *task) pendingEffects {
	p := pendingEffects{key: t.key, catalog: t.entry.Catalog}
	extended := map[string]bool{}
	for _, c := range a.boards {
		if strings.HasSuffix(c.Rule, progress.EnrolledSuffix) {
			continue // who is in a target group, which is no place on a leaderboard
		}
		p.boards = append(p.boards, c)
		// The board may still show a run that has ended meanwhile; what begins anew is shorter, and newer.
		extended[c.Rule] = c.New.Some && (c.New.Value > c.Old.Value || c.New.Reached > c.Old.Reached)
	}
	for i, rule := range t.entry.Catalog.Streaks {
		if a.state.Streak(rule.ID) == nil {
			continue
		}
		v := a.state.Derive(t.plan, i, t.now)
		p.streaks = append(p.streaks, StreakEffect{Rule: rule.ID, Current: v.Run.Length, Longest: v.Longest.Length,
			Extended: extended[rule.ID+progress.CurrentSuffix], State: v.State})
	}
	p.wallets, p.grants = a.walletEffects(t), a.grantEffects(t.now)
	return p
}

// noteWallets takes down what is in the user's wallets before, if somebody asks for effects, and it is of the definitions in force.
func (a *attempt) noteWallets(t *task) {
	asked := slices.ContainsFunc(a.units, func(u *unit) bool { return u.request.effects != nil })
	if asked && (a.state.Plan == 0 || a.state.Plan == t.plan.Print()) {
		a.wallets = a.state.DeriveEarned(t.plan, t.now)
	}
}

// walletEffects are the wallets in which something moved.
func (a *attempt) walletEffects(t *task) (moved []WalletEffect) {
	if a.wallets == nil {
		return nil
	}
	after := a.state.DeriveEarned(t.plan, t.now)
	for i := range after.Wallets {
		was, w, def := &rewards.Wallet{}, &after.Wallets[i], t.entry.Catalog.Wallets[i]
		if i < len(a.wallets.Wallets) {
			was = &a.wallets.Wallets[i]
		}
		e := WalletEffect{Wallet: def.ID, Change: w.Balance - was.Balance, Balance: w.Balance, Earned: w.Earned, Decimals: def.Decimals, Decided: a.decidedOf(def)}
		if w.Sums != was.Sums || w.Expired != was.Expired || len(e.Decided) > 0 {
			moved = append(moved, e)
		}
	}
	return moved
}

func (a *attempt) grantEffects(now calendar.Instant) (all []GrantEffect) {
	for i := range a.granted {
		g := &a.granted[i]
		e := GrantEffect{ID: g.ID, Reward: g.Reward, Status: string(g.Status(now)), Code: g.Code, ExpiresAt: g.ExpiresAt}
		switch g.State {
		case grants.Revoked:
			e.Status = "revoked"
		case grants.Refused:
			e.Status = "out_of_stock"
		}
		all = append(all, e)
	}
	return all
}

// decidedOf are the rows of a wallet that were decided with the activity, which was then alone.
func (a *attempt) decidedOf(def *catalog.Wallet) (rows []DecidedRow) {
	d := a.units[0].activity.Decided
	if d == nil {
		return nil
	}
	for _, row := range d.Own.Rows {
		if row.Wallet == def.ID {
			rows = append(rows, DecidedRow{rewards.RowType(row.Type), row.Amount})
		}
	}
	return rows
}

// rankEffects completes the effects of a request's accepted items with ranks.
func (s *Service) rankEffects(ctx context.Context, r *request) {
	for i := range r.outcomes {
		if r.outcomes[i].Status != StatusAccepted {
			continue
		}
		p := &r.effects[i]
		e := &Effects{Streaks: p.streaks, Wallets: p.wallets, Grants: p.grants, Boards: make([]BoardEffect, 0, len(p.boards))}
		for j := range p.boards {
			e.Boards = append(e.Boards, s.rankEffect(ctx, p, &p.boards[j]))
		}
		r.outcomes[i].Effects = e
	}
}

func (s *Service) rankEffect(ctx context.Context, p *pendingEffects, c *progress.BoardChange) BoardEffect {
	rule, segment := progress.CutSegment(c.Rule)
	e := BoardEffect{Rule: rule, Segment: segment, Cycle: c.Cycle.String(), Label: c.Label, Value: c.New.Value, Decimals: c.Decimals}
	order := ranking.Descending
	if c.Ascending {
		order = ranking.Ascending
	}
	b, err := s.Boards.Open(ctx, feed.Board{Org: p.key.org, Rule: c.Rule, Label: c.Label}, order)
	if err != nil {
		return e // the board is loading: the change is stored, its rank is not known yet
	}
	ties := tiesOf(p.catalog, rule)
	b.View(func(x *ranking.Index, _ uint64) {
		e.Rank, _ = x.Rank(p.key.user, ties)
		if c.Old.Some {
			e.RankBefore = rankOf(x, p.key.user, c.Old, ties)
		}
	})
	return e
}

func tiesOf(c *catalog.Catalog, rule string) ranking.Ties {
	if r := c.Rule(rule); r != nil {
		return ranking.Ties(r.Ties)
	}
	return ranking.Ordinal
}

// rankOf is the rank that the user had with an earlier standing, among the others as they stand now.
func rankOf(x *ranking.Index, user activity.User, was progress.Standing, ties ranking.Ties) int {
	old := ranking.Entry{User: user, Value: was.Value, Reached: was.Reached}
	if ties != ranking.Ordinal {
		// The first of its equals decides the number.
		old.User, old.Reached = "", calendar.Instant(-1<<62)
	}
	ahead := x.After(old)
	own, ranked := x.Position(user)
	counted := ranked && own < ahead // the user's standing now, which was not there then
	if ties == ranking.Dense {
		return distinct(x, ahead) + 1 - step(x, own, counted)
	}
	if counted {
		ahead--
	}
	return ahead + 1
}

// distinct is how many values the first n entries have.
func distinct(x *ranking.Index, n int) int {
	if n == 0 {
		return 0
	}
	return x.Range(nil, n-1, 1, ranking.Dense)[0].Rank
}

// step is 1 if the entry at a place is counted and alone has its value: without it there would be one value less.
func step(x *ranking.Index, place int, counted bool) int {
	if !counted {
		return 0
	}
	before := distinct(x, place)
	rows := x.Range(nil, place, 2, ranking.Dense)
	if rows[0].Rank == before || len(rows) == 2 && rows[1].Rank == rows[0].Rank {
		return 0
	}
	return 1
}
