package ingest

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/progress"
	"laurel/ranking"
	"laurel/streaks"
)

// Effects are what one activity changed.
type Effects struct {
	Boards  []BoardEffect
	Streaks []StreakEffect
}

// BoardEffect is a user's new place on a board. Rank and RankBefore are in the rule's numbering; 0: unknown or none.
type BoardEffect struct {
	Rule, Cycle, Label string
	Value              int64 // scaled by Decimals
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
	catalog *catalog.Catalog
}

// effects takes down what the attempt changed. The activities of one user in one batch share them: they became visible together.
func (a *attempt) effects(t *task) pendingEffects {
	p := pendingEffects{key: t.key, catalog: t.entry.Catalog}
	before := map[string]int64{}
	for _, c := range a.boards {
		p.boards = append(p.boards, c)
		before[c.Rule] = c.Old.Value
	}
	for i, rule := range t.entry.Catalog.Streaks {
		if a.state.Streak(rule.ID) == nil {
			continue
		}
		v := a.state.Derive(t.plan, i, t.now)
		was, touched := before[rule.ID+progress.CurrentSuffix]
		p.streaks = append(p.streaks, StreakEffect{Rule: rule.ID, Current: v.Current.Length, Longest: v.Longest.Length,
			Extended: touched && int64(v.Current.Length) > was, State: v.State})
	}
	return p
}

// rankEffects completes the effects of a request's accepted items with ranks.
func (s *Service) rankEffects(ctx context.Context, r *request) {
	for i := range r.outcomes {
		if r.outcomes[i].Status != StatusAccepted {
			continue
		}
		p := &r.effects[i]
		e := &Effects{Streaks: p.streaks, Boards: make([]BoardEffect, 0, len(p.boards))}
		for j := range p.boards {
			e.Boards = append(e.Boards, s.rankEffect(ctx, p, &p.boards[j]))
		}
		r.outcomes[i].Effects = e
	}
}

func (s *Service) rankEffect(ctx context.Context, p *pendingEffects, c *progress.BoardChange) BoardEffect {
	e := BoardEffect{Rule: c.Rule, Cycle: c.Cycle.String(), Label: c.Label, Value: c.New.Value, Decimals: c.Decimals}
	order := ranking.Descending
	if c.Ascending {
		order = ranking.Ascending
	}
	b, err := s.Boards.Open(ctx, feed.Board{Org: p.key.org, Rule: c.Rule, Label: c.Label}, order)
	if err != nil {
		return e // the board is loading: the change is stored, its rank is not known yet
	}
	ties := tiesOf(p.catalog, c.Rule)
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
	now, ranked := x.Get(user)
	old := ranking.Entry{User: user, Value: was.Value, Reached: was.Reached}
	if ties != ranking.Ordinal {
		// The first of its equals decides the number.
		old.User, old.Reached = "", calendar.Instant(-1<<62)
	}
	ahead := x.After(old)
	if ranked {
		if p, _ := x.Position(user); p < ahead && (now.Value != was.Value || ties == ranking.Ordinal) {
			ahead--
		}
	}
	if ties != ranking.Dense || ahead == 0 {
		return ahead + 1
	}
	rows := x.Range(nil, x.After(old)-1, 1, ties)
	return rows[0].Rank + 1 - ownStep(x, user, now, ranked, ahead)
}

// ownStep is 1 if the user alone holds a value ahead, which as a dense rank would not have been there before.
func ownStep(x *ranking.Index, user activity.User, now ranking.Entry, ranked bool, ahead int) int {
	p, _ := x.Position(user)
	if !ranked || p > ahead {
		return 0
	}
	for _, r := range x.Range(nil, max(p-1, 0), 3, ranking.Dense) {
		if r.User != user && r.Value == now.Value {
			return 0
		}
	}
	return 1
}
