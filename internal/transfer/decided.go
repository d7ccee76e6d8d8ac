package transfer

import (
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// decidedLine is what was decided with an activity.
type decidedLine struct {
	Own   effectLine `json:"own,omitzero"`
	Other effectLine `json:"other,omitzero"`
	Turn  uint32     `json:"turn,omitzero"`
	// From is whose activity it was, before a merge.
	From activity.User `json:"from,omitzero"`
}

type effectLine struct {
	Rows     []rowLine `json:"rows,omitempty"`
	Rewards  []string  `json:"rewards,omitempty"`
	Achieved string    `json:"achieved,omitzero"`
}

// IsZero implements omitzero.
func (l effectLine) IsZero() bool { return len(l.Rows) == 0 && len(l.Rewards) == 0 && l.Achieved == "" }

// rowLine moves points; Amount is scaled by Decimals.
type rowLine struct {
	Wallet   string `json:"wallet"`
	Decimals uint8  `json:"decimals,omitzero"`
	Type     string `json:"type"`
	Category string `json:"category,omitzero"`
	Amount   int64  `json:"amount"`
}

func lineOfDecided(d *activity.Decided) *decidedLine {
	if d == nil {
		return nil
	}
	return &decidedLine{Own: lineOfEffect(&d.Own), Other: lineOfEffect(&d.Other), Turn: d.Turn, From: d.From}
}

func lineOfEffect(e *activity.Effect) effectLine {
	l := effectLine{Rewards: e.Rewards, Achieved: e.Achieved}
	for _, r := range e.Rows {
		l.Rows = append(l.Rows, rowLine{r.Wallet, r.Decimals, rewards.RowType(r.Type).String(), catalog.Category(r.Category).String(), r.Amount})
	}
	return l
}

// decided is the inverse of lineOfDecided.
func (l *decidedLine) decided() (*activity.Decided, error) {
	if l == nil {
		return nil, nil
	}
	own, err := l.Own.effect()
	if err != nil {
		return nil, err
	}
	other, err := l.Other.effect()
	return &activity.Decided{Own: own, Other: other, Turn: l.Turn, From: l.From}, err
}

func (l *effectLine) effect() (e activity.Effect, err error) {
	e.Rewards, e.Achieved = l.Rewards, l.Achieved
	for _, r := range l.Rows {
		typ, known := parseRowType(r.Type)
		category, named := parseCategory(r.Category)
		if !known || !named {
			return e, fmt.Errorf("%w: row of type %q and category %q", ErrDamaged, r.Type, r.Category)
		}
		e.Rows = append(e.Rows, activity.Row{Wallet: r.Wallet, Decimals: r.Decimals, Type: uint8(typ), Category: uint8(category), Amount: r.Amount})
	}
	return e, nil
}

func parseRowType(s string) (rewards.RowType, bool) {
	for t := rewards.Earn; t < rewards.Expire; t++ {
		if t.String() == s {
			return t, true
		}
	}
	return 0, false
}

func parseCategory(s string) (catalog.Category, bool) {
	for c := catalog.NoCategory; c <= catalog.Categories; c++ {
		if c.String() == s {
			return c, true
		}
	}
	return 0, false
}

// parseKind reads the kind of a record, which may be a credit.
func parseKind(s string) (activity.Kind, bool) {
	if s == activity.Credit.String() {
		return activity.Credit, true
	}
	return activity.ParseKind(s)
}
