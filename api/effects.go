package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/ingest"
	"laurel/internal/query"
	"laurel/streaks"
)

// effectsWire is what one activity changed.
type effectsWire struct {
	Boards  []boardEffect  `json:"boards" nullable:"false"`
	Streaks []streakEffect `json:"streaks" nullable:"false"`
}

type boardEffect struct {
	Rule       string         `json:"rule" example:"commits"`
	Segment    string         `json:"segment,omitzero" doc:"Whose board it is; absent for everyone's"`
	Cycle      string         `json:"cycle" example:"week"`
	Label      string         `json:"label" example:"2026-W47"`
	Value      jsontext.Value `json:"value" doc:"The user's score now, a number"`
	Rank       int            `json:"rank,omitzero" doc:"Absent while the board is loading"`
	RankBefore int            `json:"rank_before,omitzero" doc:"Absent where the user was not on the board"`
}

type streakEffect struct {
	Rule     string        `json:"rule" example:"daily-commit"`
	Current  int           `json:"current"`
	Longest  int           `json:"longest"`
	Extended bool          `json:"extended" doc:"The streak became longer"`
	State    streaks.State `json:"state" enum:"paused,frozen,broken,none,at_risk,active"`
}

// wireEffects is never nil: an activity that matched nothing has no effects, and says so.
func wireEffects(e *ingest.Effects) *effectsWire {
	out := &effectsWire{Boards: []boardEffect{}, Streaks: []streakEffect{}}
	if e == nil {
		return out
	}
	for _, b := range e.Boards {
		score := query.Score{Scaled: b.Value, Decimals: b.Decimals}
		out.Boards = append(out.Boards, boardEffect{Rule: b.Rule, Segment: b.Segment, Cycle: b.Cycle, Label: b.Label, Value: score.AppendJSON(nil),
			Rank: b.Rank, RankBefore: b.RankBefore})
	}
	for _, s := range e.Streaks {
		out.Streaks = append(out.Streaks, streakEffect(s))
	}
	return out
}
