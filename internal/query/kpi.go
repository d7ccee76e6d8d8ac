package query

import (
	"context"
	"math"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
)

// kpiObject is a KPI in the current period of one cycle.
type kpiObject struct {
	KPI string `json:"kpi"`
	shownObject
	Rule    string  `json:"rule"`
	Cycle   string  `json:"cycle"`
	Period  string  `json:"period"`
	Value   Score   `json:"value"`
	Target  Score   `json:"target"`
	Percent float64 `json:"percent"`
}

// KPIs reads a user's KPIs in the current period of each cycle, or of one, as a JSON object. ErrUserNotFound, ErrUserMerged.
func (r *Reader) KPIs(ctx context.Context, org activity.Org, user activity.User, cycle string) ([]byte, error) {
	m, err := r.current(ctx, org, user)
	if err != nil {
		return nil, err
	}
	o := struct {
		KPIs []kpiObject `json:"kpis"`
	}{[]kpiObject{}}
	cal := m.plan.Calendar()
	for _, def := range m.plan.Catalog.KPIs {
		rule := m.plan.Catalog.Rules[def.Rule]
		for _, t := range def.Targets {
			period, open := cal.OrdinalAt(t.Cycle, m.now)
			if !open || cycle != "" && t.Cycle.Key() != cycle {
				continue
			}
			k := kpiObject{KPI: def.ID, shownObject: shown(&def.Shown), Rule: rule.ID, Cycle: t.Cycle.Key(), Period: cal.Label(t.Cycle, period),
				Value: Score{0, rule.Decimals}, Target: Score{t.Target, rule.Decimals}}
			if tally := m.state.Tally(rule.ID, t.Cycle.Key(), period); tally != nil {
				k.Value.Scaled = tally.Value
			}
			k.Percent = math.Round(100*100*float64(k.Value.Scaled)/float64(t.Target)) / 100
			o.KPIs = append(o.KPIs, k)
		}
	}
	return json.Marshal(o, json.Deterministic(true))
}
