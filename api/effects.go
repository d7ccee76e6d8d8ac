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
	Wallets []walletEffect `json:"wallets" nullable:"false" doc:"Those in which something moved"`
	Grants  []grantEffect  `json:"grants,omitempty" doc:"Rewards that were issued to the user or taken back, what a coupon bought among them"`
}

type grantEffect struct {
	ID        string  `json:"id" example:"coupon:c1"`
	Reward    string  `json:"reward" example:"mug"`
	Status    string  `json:"status" enum:"issued,claimed,redeemed,expired,revoked,out_of_stock"`
	Code      string  `json:"code,omitempty"`
	ExpiresAt *string `json:"expires_at,omitempty" format:"date-time"`
}

type walletEffect struct {
	Wallet  string         `json:"wallet" example:"coins"`
	Change  jsontext.Value `json:"change" doc:"By how much the balance moved, a number"`
	Balance jsontext.Value `json:"balance" doc:"What is in the wallet now, a number"`
	Earned  jsontext.Value `json:"earned" doc:"What was ever earned, a number"`
	Decided []decidedRow   `json:"decided,omitempty" doc:"The rows that were decided with this activity"`
}

type decidedRow struct {
	Wallet string         `json:"wallet,omitempty" example:"coins"`
	Type   string         `json:"type" enum:"earn,redeem,spend,refund,set"`
	Amount jsontext.Value `json:"amount" doc:"A number, below 0 for what takes something away"`
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
	out := &effectsWire{Boards: []boardEffect{}, Streaks: []streakEffect{}, Wallets: []walletEffect{}}
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
	for i := range e.Wallets {
		out.Wallets = append(out.Wallets, wireWallet(&e.Wallets[i]))
	}
	for _, g := range e.Grants {
		out.Grants = append(out.Grants, grantEffect{g.ID, g.Reward, g.Status, g.Code, stamp(g.ExpiresAt)})
	}
	return out
}

func wireWallet(w *ingest.WalletEffect) walletEffect {
	number := func(n int64) jsontext.Value { return query.Score{Scaled: n, Decimals: w.Decimals}.AppendJSON(nil) }
	out := walletEffect{Wallet: w.Wallet, Change: number(w.Change), Balance: number(w.Balance), Earned: number(w.Earned)}
	for _, row := range w.Decided {
		out.Decided = append(out.Decided, decidedRow{Type: row.Type.String(), Amount: number(row.Amount)})
	}
	return out
}
