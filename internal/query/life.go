package query

import (
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/streaks"
)

// Limits of reads of a streak's past, in periods.
const (
	MaxHistory     = 1_000
	MaxExplained   = 100
	usualExplained = 7
)

// Range is which periods are asked for, by their labels or dates of them; "" leaves it to the read. Periods after the open one are left out.
type Range struct{ From, To string }

// whole reads one streak of a user with all its periods; sealed records that the base sums up are in it. Errors as Streak.
func (r *Reader) whole(ctx context.Context, org activity.Org, user activity.User, rule string) (*progress.Whole, error) {
	m, err := r.moment(ctx, org, user, nil)
	if err != nil {
		return nil, err
	}
	i, err := streakOf(m.plan, rule)
	if err != nil {
		return nil, err
	}
	base, records, err := r.ingest.Base(ctx, org, user)
	if err != nil {
		return nil, err
	}
	return m.state.Whole(m.plan, i, base, records), nil
}

// historyList is GET …/history.
type historyList struct {
	Rule     string          `json:"rule"`
	First    string          `json:"first"` // the first period with an activity
	OptedOut bool            `json:"opted_out,omitzero"`
	History  []historyObject `json:"history"`
}

// History reads the periods of a streak in a range, oldest first, by default the last streaks.HistoryLen: from the first with an activity on, also those before the seal,
// MaxHistory at most. Errors as Streak; *ParamError.
func (r *Reader) History(ctx context.Context, org activity.Org, user activity.User, rule string, in Range) ([]byte, error) {
	w, err := r.whole(ctx, org, user, rule)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	first, open := w.Bounds(now)
	out := historyList{Rule: rule, First: w.Calculus.Zoning.Label(first), OptedOut: w.Calculus.OptedOut(), History: []historyObject{}}
	from, to, err := in.resolve(w.Calculus, open, streaks.HistoryLen)
	if err != nil {
		return nil, err
	}
	from = max(from, first)
	if to-from >= MaxHistory {
		return nil, &ParamError{"from", "This and to may be " + strconv.Itoa(MaxHistory) + " periods apart at most."}
	}
	if from <= to && !out.OptedOut {
		out.History = showHistory(w.Calculus, w.History(now, from, to))
	}
	return json.Marshal(out, json.Deterministic(true))
}

// resolve finds the first and the last period of a range; usual is how many there are without a from.
func (in Range) resolve(c *streaks.Calculus, open calendar.Ordinal, usual int) (from, to calendar.Ordinal, err error) {
	to = open
	if in.To != "" {
		if to, err = c.Zoning.Parse(in.To); err != nil {
			return 0, 0, badRange("to", c)
		}
	}
	from = min(to, open) - calendar.Ordinal(usual) + 1
	if in.From != "" {
		if from, err = c.Zoning.Parse(in.From); err != nil {
			return 0, 0, badRange("from", c)
		}
	}
	if from > to {
		return 0, 0, &ParamError{"from", "This must not be after to."}
	}
	return from, min(to, open), nil
}

func badRange(field string, c *streaks.Calculus) error {
	return &ParamError{field, "This must be the label of a period, as in history, or a date such as 2026-11-21; periods of this rule are of unit " + c.Rule.Unit.String() + "."}
}

// pastList is GET …/past.
type pastList struct {
	Rule     string       `json:"rule"`
	OptedOut bool         `json:"opted_out,omitzero"`
	Total    int          `json:"total"`
	Past     []pastStreak `json:"past"`
}

type pastStreak struct {
	Length  int              `json:"length"`
	Start   string           `json:"start"`
	End     string           `json:"end"`
	EndedAt calendar.Instant `json:"ended_at"`
}

// Past reads the streaks of a rule that ended, newest first, also those before the seal. Errors as Streak.
func (r *Reader) Past(ctx context.Context, org activity.Org, user activity.User, rule string, limit int) ([]byte, error) {
	w, err := r.whole(ctx, org, user, rule)
	if err != nil {
		return nil, err
	}
	out := pastList{Rule: rule, OptedOut: w.Calculus.OptedOut(), Past: []pastStreak{}}
	if !out.OptedOut {
		all := w.Past(r.clock.Now())
		out.Total = len(all)
		slices.Reverse(all)
		for _, p := range all[:min(limit, len(all))] {
			o := showPast(w.Calculus, &p.Ended, p.At)
			out.Past = append(out.Past, pastStreak{o.Length, o.Start, o.End, o.At})
		}
	}
	return json.Marshal(out, json.Deterministic(true))
}

// Preview is what a streak rule of a catalog that is not published would show of a user: now, or as of an instant. Nothing is stored. Errors as Streaks.
func (r *Reader) Preview(ctx context.Context, org activity.Org, user activity.User, c *catalog.Catalog, rule string, at *calendar.Instant) ([]byte, error) {
	_, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	plan, now := progress.NewPlanOf(c, nil, entry.Outages), r.clock.Now()
	base, records, err := r.ingest.Base(ctx, org, user)
	if err != nil {
		return nil, err
	}
	if at != nil {
		if now = *at; now < s.Sealed {
			return nil, detailed(ErrSealed, "history before %s is sealed", s.Sealed)
		}
		plan, s = plan.AsOf(now), s.AsOf(now)
		records = slices.DeleteFunc(records, func(a activity.Activity) bool { return a.At > now })
	}
	i, err := streakOf(plan, rule)
	if err != nil {
		return nil, err
	}
	w := s.Whole(plan, i, base, records)
	v := w.View(now)
	out := streakShown(w.Calculus, &v, now)
	if !w.Based {
		out.Since = s.Sealed
	}
	return json.Marshal(out, json.Deterministic(true))
}
