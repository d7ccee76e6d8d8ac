package query

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/streaks"
)

// explanation is GET …/explain.
type explanation struct {
	Rule     string            `json:"rule"`
	OptedOut bool              `json:"opted_out,omitzero"`
	Periods  []explainedObject `json:"periods"`
}

type explainedObject struct {
	Period     string               `json:"period"`
	Start      calendar.Instant     `json:"start"`
	End        calendar.Instant     `json:"end"`
	MetUntil   calendar.Instant     `json:"can_be_met_until"`
	Timezone   string               `json:"timezone"`
	Required   bool                 `json:"required"`
	Exempt     streaks.Exemption    `json:"exempt,omitempty"`
	Status     streaks.PeriodStatus `json:"status"`
	Why        string               `json:"why"`
	Value      Score                `json:"value"`
	Target     Score                `json:"target"`
	Conditions []conditionObject    `json:"conditions,omitempty"`
	MetAt      calendar.Instant     `json:"met_at,omitzero"`
	Length     int                  `json:"length"` // of the streak after it
	Held       int                  `json:"freezes_held"`
	Pause      string               `json:"pause,omitempty"`
	Outage     string               `json:"outage,omitempty"`
	Sealed     bool                 `json:"sealed,omitzero"`
	Activities []givenObject        `json:"activities"`
}

// givenObject is an activity that counted for a period, with what it gave to each condition: null where it does not match.
type givenObject struct {
	ID      activity.ID      `json:"id"`
	At      calendar.Instant `json:"at"`
	Values  []jsontext.Value `json:"values"`
	Stamped string           `json:"stamped,omitempty"`
}

// Explain reads the periods of a streak in a range, oldest first, and why each is what it is; by default the last ones, MaxExplained at most. Errors as Streak; *ParamError.
func (r *Reader) Explain(ctx context.Context, org activity.Org, user activity.User, rule string, in Range) ([]byte, error) {
	w, err := r.whole(ctx, org, user, rule)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	_, open := w.Bounds(now)
	out := explanation{Rule: rule, OptedOut: w.Calculus.OptedOut(), Periods: []explainedObject{}}
	from, to, err := in.resolve(w.Calculus, open, usualExplained)
	if err != nil {
		return nil, err
	}
	if to-from >= MaxExplained {
		return nil, &ParamError{"from", "This and to may be " + strconv.Itoa(MaxExplained) + " periods apart at most."}
	}
	if from <= to && !out.OptedOut {
		given := map[calendar.Ordinal][]givenObject{}
		for i := range w.Given {
			if g := &w.Given[i]; g.Period >= from && g.Period <= to {
				given[g.Period] = append(given[g.Period], showGiven(w.Calculus, g))
			}
		}
		for _, e := range w.Explain(now, from, to) {
			out.Periods = append(out.Periods, showExplained(w, &e, given[e.Ordinal]))
		}
	}
	return json.Marshal(out, json.Deterministic(true))
}

func showExplained(w *progress.Whole, e *streaks.Explained, given []givenObject) explainedObject {
	o := explainedObject{Period: w.Calculus.Zoning.Label(e.Ordinal), Start: e.Start, End: e.End, MetUntil: e.Until, Timezone: e.Zone, Required: e.Exempt == "",
		Exempt: e.Exempt, Status: e.Status, Length: e.Length, Held: e.Held, Sealed: e.Start < w.Sealed, Activities: given}
	o.Value, o.Target, o.Conditions = conditions(w.Calculus, &e.PeriodView)
	if e.Met {
		o.MetAt = e.MetAt
	}
	if e.Pause != nil {
		o.Pause = strconv.FormatUint(uint64(e.Pause.ID), 10)
	}
	if e.Outage != nil {
		o.Outage = e.Outage.ID
	}
	if o.Activities == nil {
		o.Activities = []givenObject{}
	}
	o.Why = why(w, e)
	if o.Sealed {
		o.Why += fmt.Sprintf(" Activities before %s are summed up and cannot be listed any more.", w.Sealed)
	}
	return o
}

func showGiven(c *streaks.Calculus, g *progress.Given) givenObject {
	o := givenObject{ID: g.ID, At: g.At, Values: make([]jsontext.Value, len(g.Values))}
	for k, v := range g.Values {
		o.Values[k] = valueShown(&c.Rule.Conditions[k], v)
	}
	if g.Stamp != g.Period {
		o.Stamped = c.Zoning.Label(g.Stamp)
	}
	return o
}

// valueShown is what an activity gave to a condition: a number or, to unique, the value that was counted.
func valueShown(c *catalog.Condition, v *catalog.Value) jsontext.Value {
	switch {
	case v == nil:
		return jsontext.Value("null")
	case c.Fold == catalog.Count:
		return jsontext.Value("1")
	case c.Fold != catalog.Unique:
		return Score{v.N, c.Decimals}.AppendJSON(nil)
	}
	if kind, text, _ := strings.Cut(v.S, ":"); kind == "n" || kind == "b" {
		return jsontext.Value(text)
	} else if kind == "s" {
		return appendQuoted(nil, text)
	}
	return appendQuoted(nil, "a long text")
}

// why says in a sentence why a period has its status.
func why(w *progress.Whole, e *streaks.Explained) string {
	c := w.Calculus
	switch e.Exempt {
	case streaks.OffDay:
		return calendar.Date(e.Ordinal).Weekday().String() + " is not among the rule's active days: nothing is asked for, and what is done does not count."
	case streaks.Holiday:
		return "It is a holiday of the rule: nothing is asked for, and what is done does not count."
	case streaks.NoSuchDate:
		return "This date does not exist: the user's time zone skipped it."
	}
	unmet := "Not met (" + reached(c, e) + ")"
	switch e.Status {
	case streaks.Met:
		return whyMet(w, e)
	case streaks.Paused:
		return unmet + ", and paused by " + pausedBy(e) + ": it cannot be missed."
	case streaks.Open:
		return "Not met yet (" + reached(c, e) + "); it can be met until " + e.Until.String() + "."
	case streaks.Frozen:
		return fmt.Sprintf("%s: a freeze was spent, %d left.", unmet, e.Held)
	case streaks.Restored:
		return unmet + ", and restored: the streak goes on."
	}
	return unmet + whyMissed(c, e)
}

// reached is how far the conditions came: "2 of 3".
func reached(c *streaks.Calculus, e *streaks.Explained) string {
	parts := make([]string, len(e.Values))
	for k := range parts {
		d := c.Rule.Conditions[k].Decimals
		parts[k] = string(Score{e.Values[k], d}.AppendJSON(nil)) + " of " + string(Score{e.Targets[k], d}.AppendJSON(nil))
	}
	if c.Rule.All {
		return strings.Join(parts, " and ")
	}
	return strings.Join(parts, ", ")
}

func whyMet(w *progress.Whole, e *streaks.Explained) string {
	by := "Met"
	if id := w.MetBy(e.Ordinal); id != "" {
		by += " by activity " + string(id)
	}
	by += " at " + e.MetAt.String()
	if e.Length > 0 {
		by += fmt.Sprintf(": the streak came to %d", e.Length)
	}
	return by + "."
}

func pausedBy(e *streaks.Explained) string {
	if e.Pause != nil {
		return fmt.Sprintf("pause %d (%s to %s)", e.Pause.ID, e.Pause.From, e.Pause.Until())
	}
	text := "outage " + e.Outage.ID
	if e.Outage.Reason != "" {
		text += " (" + e.Outage.Reason + ")"
	}
	return text
}

func whyMissed(c *streaks.Calculus, e *streaks.Explained) string {
	switch {
	case !e.Running:
		return ", and no streak was running."
	case c.Rule.OnMiss == catalog.None:
		return ", which does nothing to this streak."
	case e.Decayed > 0:
		return fmt.Sprintf(": %d came off the streak, which is %d long.", e.Decayed, e.Length)
	case e.Ended == 0:
		return ": a freeze was spent, and came back when the streak ended."
	}
	text := ""
	if c.Rule.Freezes.Max > 0 {
		text = ", and no freeze was left"
	}
	text += fmt.Sprintf(": the streak of %d ended.", e.Ended)
	if e.Returned > 0 {
		text += fmt.Sprintf(" Freezes that came back: %d.", e.Returned)
	}
	return text
}
