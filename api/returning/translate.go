package returning

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/catalog"
	"laurel/internal/query"
)

// translator writes definitions of streaks in the door's shape, and back.
type translator struct {
	// counters are what an action of the shape selects, where the catalog says so.
	counters map[string]condition
}

// condition is a part of a definition: of a rule, or of a streak.
type condition struct {
	When    jsontext.Value `json:"when,omitempty"`
	Value   jsontext.Value `json:"value,omitempty"`
	AtLeast float64        `json:"at_least,omitzero"`
}

// definition is as much of a streak's as the shape has.
type definition struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	When       jsontext.Value `json:"when"`
	Target     *float64       `json:"target"`
	Any        []condition    `json:"any"`
	All        []condition    `json:"all"`
	Unit       jsontext.Value `json:"unit"`
	Timezone   jsontext.Value `json:"timezone"`
	ActiveDays []string       `json:"active_days"`
}

func newTranslator(c *catalog.Catalog) *translator {
	t := &translator{counters: map[string]condition{}}
	for action, field := range actions() {
		rule := c.Doors.Returning.Counters[field]
		if rule == nil {
			continue
		}
		text, err := c.Definition(catalog.Rules, rule.ID)
		var of condition
		if err == nil && json.Unmarshal(text, &of) == nil {
			t.counters[action] = of
		}
	}
	return t
}

const count1 = `"count"`

// shown is a definition in the shape; order is its place.
func (t *translator) shown(text jsontext.Value, order int) (Streak, error) {
	var def definition
	if err := json.Unmarshal(text, &def); err != nil {
		return Streak{}, err
	}
	s := Streak{ID: def.ID, Name: cmp.Or(def.Name, def.ID), Order: order, Timezone: zoneShown(def.Timezone), ActiveDaysType: "all", ActiveDays: []string{}, Action: Action{Operator: "and"}}
	if len(def.ActiveDays) > 0 {
		s.ActiveDaysType = "custom"
		for d := range 7 {
			if day := time.Weekday((d + 1) % 7).String(); slices.Contains(def.ActiveDays, short(day)) {
				s.ActiveDays = append(s.ActiveDays, day)
			}
		}
	}
	conditions := def.All
	switch {
	case def.When != nil:
		one := condition{When: def.When, Value: jsontext.Value(count1), AtLeast: 1}
		if def.Target != nil {
			one.AtLeast = *def.Target
		}
		conditions = []condition{one}
	case def.Any != nil:
		s.Action.Operator, conditions = "or", def.Any
	}
	for i, c := range conditions {
		s.Action.Conditions = append(s.Action.Conditions, Condition{ID: strconv.Itoa(i + 1), Action: t.actionOf(c), Value: c.AtLeast})
	}
	s.Timeframe, s.StartDate = timeframeOf(def.Unit)
	return s, nil
}

// actionOf is the counter that a condition is, else the behaviours that it selects.
func (t *translator) actionOf(c condition) string {
	for _, action := range []string{"messages", "replies", "reaction", "socials", "visits"} {
		of, some := t.counters[action]
		if some && bytes.Equal(of.When, c.When) && bytes.Equal(of.Value, c.Value) {
			return action
		}
	}
	var when struct {
		Name jsontext.Value `json:"name"`
	}
	var one string
	var several []string
	switch {
	case json.Unmarshal(c.When, &when) != nil || when.Name == nil:
	case json.Unmarshal(when.Name, &one) == nil:
		return one
	case json.Unmarshal(when.Name, &several) == nil:
		return strings.Join(several, ",")
	}
	return "any"
}

// defined makes a definition of what a client says; what the shape has not stays as it was.
func (t *translator) defined(was jsontext.Value, in *StreakIn, today string) (object, error) {
	made := object{}
	if was != nil {
		if err := json.Unmarshal(was, &made); err != nil {
			return nil, err
		}
	}
	for _, member := range []string{"when", "target", "any", "all", "active_days"} {
		delete(made, member)
	}
	if in.Name == "" {
		return nil, &query.ParamError{Field: "name", Detail: "name is required."}
	}
	unit, err := unitOf(in, today)
	if err != nil {
		return nil, err
	}
	made["name"], made["unit"], made["timezone"] = text(in.Name), unit, zoneDefined(in.Timezone)
	if in.ActiveDaysType == "custom" {
		days, err := daysDefined(in.ActiveDays)
		if err != nil {
			return nil, err
		}
		made["active_days"] = days
	}
	return made, t.conditions(made, &in.Action)
}

// conditions puts what a period needs into a definition.
func (t *translator) conditions(made object, a *Action) error {
	var list []condition
	for _, c := range a.Conditions {
		if c.IsCustomField || c.Action == "" {
			return &query.ParamError{Field: "action.conditions", Detail: "A condition is about an action: custom fields do not happen on a day."}
		}
		of, some := t.counters[c.Action]
		if !some {
			of = condition{When: jsontext.Value(`{"name":` + string(text(c.Action)) + `}`), Value: jsontext.Value(count1)}
		}
		of.AtLeast = c.Value
		list = append(list, of)
	}
	operators := map[string]string{"": "all", "and": "all", "or": "any"}
	operator, known := operators[a.Operator]
	switch {
	case !known:
		return &query.ParamError{Field: "action.operator", Detail: "action.operator must be and, or."}
	case len(list) == 0:
		return &query.ParamError{Field: "action.conditions", Detail: "action.conditions must have one at least."}
	case len(list) == 1 && string(list[0].Value) == count1:
		made["when"], made["target"] = list[0].When, number(list[0].AtLeast)
		return nil
	}
	b, err := json.Marshal(list)
	made[operator] = b
	return err
}

func number(f float64) jsontext.Value { return jsontext.Value(strconv.FormatFloat(f, 'f', -1, 64)) }

// unitOf reads a timeframe.
func unitOf(in *StreakIn, today string) (jsontext.Value, error) {
	n, days := in.Timeframe.Count, 0
	switch word := in.Timeframe.Value; {
	case n < 0 || n > 1000:
	case n <= 1 && word == "daily":
		return text("day"), nil
	case n <= 1 && word == "weekly":
		return text("week"), nil
	case n <= 1 && word == "monthly":
		return text("month"), nil
	case word == "daily":
		days = n
	case word == "weekly":
		days = 7 * n
	}
	if days == 0 {
		return nil, &query.ParamError{Field: "timeframe", Detail: "timeframe must be so many days or weeks, or one month: daily, weekly or monthly, and a count."}
	}
	from := in.StartDate
	if from == "" {
		from = today
	}
	b, err := json.Marshal(map[string]string{"every": strconv.Itoa(days) + "d", "from": from}, json.Deterministic(true))
	return b, err
}

// timeframeOf writes a unit of the catalog.
func timeframeOf(unit jsontext.Value) (t Timeframe, start string) {
	var word string
	if json.Unmarshal(unit, &word) == nil {
		return Timeframe{map[string]string{"day": "daily", "week": "weekly", "month": "monthly"}[word], 1}, ""
	}
	var every struct {
		Every string `json:"every"`
		From  string `json:"from"`
	}
	_ = json.Unmarshal(unit, &every) // what is published has one of the two forms
	days, _ := strconv.Atoi(strings.TrimSuffix(every.Every, "d"))
	if days%7 == 0 {
		return Timeframe{"weekly", days / 7}, every.From
	}
	return Timeframe{"daily", days}, every.From
}

const utc = "utc_gmt"

// zoneShown writes whose dates count. {user: zone} is the user's.
func zoneShown(zone jsontext.Value) string {
	var word string
	switch err := json.Unmarshal(zone, &word); {
	case err != nil || word == "":
		return "user"
	case word == "UTC":
		return utc
	}
	return word
}

func zoneDefined(word string) jsontext.Value {
	if word == "" || word == utc {
		word = "UTC"
	}
	return text(word)
}

func short(day string) string { return strings.ToLower(day[:min(3, len(day))]) }

func daysDefined(list []string) (jsontext.Value, error) {
	var days []string
	for _, day := range list {
		days = append(days, short(day))
	}
	if len(days) == 0 {
		return nil, &query.ParamError{Field: "activeDays", Detail: "activeDays must name one weekday at least, such as Monday."}
	}
	return json.Marshal(days)
}
