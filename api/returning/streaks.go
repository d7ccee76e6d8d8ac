package returning

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/query"
	"laurel/internal/registry"
)

// Streak is a streak rule of the catalog.
type Streak struct {
	ID             string    `json:"_id"`
	Name           string    `json:"name"`
	Timezone       string    `json:"timezone" doc:"utc_gmt, the name of a zone, user, org, event" example:"utc_gmt"`
	StartDate      string    `json:"startDate,omitempty" doc:"Of a timeframe of several periods: a date at which one begins" example:"2026-04-07"`
	Timeframe      Timeframe `json:"timeframe"`
	Action         Action    `json:"action"`
	ActiveDaysType string    `json:"activeDaysType" enum:"all,custom"`
	ActiveDays     []string  `json:"activeDays" nullable:"false" example:"[\"Monday\"]"`
	Order          int       `json:"order" doc:"The place in the catalog, from 1"`
}

// StreakIn is what a client says of a streak.
type StreakIn struct {
	ID             string    `json:"_id,omitempty" doc:"Only where the path names no streak"`
	Name           string    `json:"name"`
	Timezone       string    `json:"timezone,omitempty" doc:"As it comes out; left out: utc_gmt"`
	StartDate      string    `json:"startDate,omitempty" example:"2026-04-07"`
	Timeframe      Timeframe `json:"timeframe"`
	Action         Action    `json:"action"`
	ActiveDaysType string    `json:"activeDaysType,omitempty" enum:"all,custom"`
	ActiveDays     []string  `json:"activeDays,omitempty"`
	Order          int       `json:"order,omitempty" doc:"Not taken: the catalog's order stays"`
}

// Timeframe is how long a period is: count days, weeks, or one month.
type Timeframe struct {
	Value string `json:"value" enum:"daily,weekly,monthly"`
	Count int    `json:"count"`
}

// Action is what a period needs.
type Action struct {
	Operator   string      `json:"operator" enum:"and,or"`
	Conditions []Condition `json:"conditions" nullable:"false"`
}

// Condition is so many of an action.
type Condition struct {
	ID            string  `json:"_id,omitempty"`
	Action        string  `json:"action" doc:"messages, replies, reaction, socials, visits: what doors.returning.counters says; else a behaviour"`
	Value         float64 `json:"value"`
	IsCustomField bool    `json:"isCustomField"`
}

// StreakAnswer is one streak.
type StreakAnswer struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
	Data    Streak `json:"data"`
}

// StreakList is a page of them.
type StreakList struct {
	Status     string     `json:"status" enum:"success"`
	Data       []Streak   `json:"data" nullable:"false"`
	Pagination Pagination `json:"pagination"`
}

// Pagination is as that of streaks is written.
type Pagination struct {
	Total       int  `json:"total"`
	CurrentPage int  `json:"currentPage"`
	TotalPages  int  `json:"totalPages"`
	HasNextPage bool `json:"hasNextPage"`
	HasPrevPage bool `json:"hasPrevPage"`
}

func (p page) pagination() Pagination {
	return Pagination{Total: p.total, CurrentPage: p.number, TotalPages: p.last(), HasNextPage: p.to < p.total, HasPrevPage: p.number > 1}
}

// Done is the answer where nothing is left to be shown.
type Done struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
}

// Streaks lists the org's streaks in the order of the catalog. registry.ErrOrgNotFound; *query.ParamError.
func (d *Door) Streaks(org activity.Org, number, limit int) (*StreakList, error) {
	c := d.Catalogs.Catalog(org)
	if c == nil {
		return nil, registry.ErrOrgNotFound
	}
	page, err := pageOf(number, limit, len(c.Streaks))
	if err != nil {
		return nil, err
	}
	list := &StreakList{Status: success, Pagination: page.pagination()}
	t := newTranslator(c)
	for i, definition := range c.Definitions(catalog.Streaks)[page.from:page.to] {
		s, err := t.shown(definition, page.from+i+1)
		if err != nil {
			return nil, err
		}
		list.Data = append(list.Data, s)
	}
	return list, nil
}

// CreateStreak adds a streak; its id is made of the name. *query.ParamError for what the catalog does not take.
func (d *Door) CreateStreak(ctx context.Context, org activity.Org, in *StreakIn) (*StreakAnswer, error) {
	id := ""
	next, err := d.edit(ctx, org, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		definition, err := newTranslator(old).defined(nil, in, d.today(old))
		if err != nil {
			return nil, err
		}
		for n := 1; ; n++ { // until the id is free
			id = slug(in.Name, n)
			definition["id"] = text(id)
			b, err := json.Marshal(definition, json.Deterministic(true))
			if err != nil {
				return nil, err
			}
			next, _, err := old.Add(catalog.Streaks, b)
			if !errors.Is(err, catalog.ErrExists) || n == maxSlugs {
				return next, err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return answerWith(next, id, "Streak created successfully")
}

// UpdateStreak replaces what the shape has of a streak; its settings stay. catalog.ErrNoDefinition; *query.ParamError.
func (d *Door) UpdateStreak(ctx context.Context, org activity.Org, id string, in *StreakIn) (*StreakAnswer, error) {
	next, err := d.edit(ctx, org, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		was, err := old.Definition(catalog.Streaks, id)
		if err != nil {
			return nil, err
		}
		definition, err := newTranslator(old).defined(was, in, d.today(old))
		if err != nil {
			return nil, err
		}
		return put(old, id, definition)
	})
	if err != nil {
		return nil, err
	}
	return answerWith(next, id, "Streak updated successfully")
}

// DeleteStreak removes a streak to which nothing else refers. catalog.ErrNoDefinition; *query.ParamError.
func (d *Door) DeleteStreak(ctx context.Context, org activity.Org, id string) (*Done, error) {
	_, err := d.edit(ctx, org, func(old *catalog.Catalog) (*catalog.Catalog, error) { return old.Remove(catalog.Streaks, id) })
	if err != nil {
		return nil, err
	}
	return &Done{success, "Streak deleted successfully"}, nil
}

// today is the org's date: where a timeframe of several periods begins if nothing else is said.
func (d *Door) today(c *catalog.Catalog) string { return c.Calendar().DateAt(d.Reads.Now()).String() }

// edit publishes a change of the org's catalog and returns what was published.
func (d *Door) edit(ctx context.Context, org activity.Org, change registry.Change) (next *catalog.Catalog, err error) {
	err = d.Catalogs.Edit(ctx, org, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		made, err := change(old)
		next = made
		return made, err
	})
	var faults catalog.Faults
	if errors.As(err, &faults) {
		return nil, &query.ParamError{Field: faults[0].Path, Detail: told(faults)}
	}
	return next, err
}

// told says what is wrong in one text.
func told(faults catalog.Faults) string {
	var lines []string
	for _, f := range faults {
		lines = append(lines, f.Path+": "+f.Detail)
	}
	return strings.Join(lines, "; ")
}

func put(old *catalog.Catalog, id string, definition object) (*catalog.Catalog, error) {
	b, err := json.Marshal(definition, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return old.Put(catalog.Streaks, id, b)
}

func answerWith(c *catalog.Catalog, id, message string) (*StreakAnswer, error) {
	for i, definition := range c.Definitions(catalog.Streaks) {
		if c.Streaks[i].ID == id {
			s, err := newTranslator(c).shown(definition, i+1)
			return &StreakAnswer{success, message, s}, err
		}
	}
	return nil, catalog.ErrNoDefinition
}

// object is a definition as it stands in the source.
type object map[string]jsontext.Value

func text(s string) jsontext.Value {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil { // what came as JSON is UTF-8
		return jsontext.Value(`""`)
	}
	return b
}

const maxSlugs = 100

var notOfAnID = regexp.MustCompile(`[^a-z0-9_]+`)

// slug makes an id of a name, the n-th try.
func slug(name string, n int) string {
	const limit = 50
	id := strings.Trim(notOfAnID.ReplaceAllString(strings.ToLower(name), "-"), "-")
	id = strings.Trim(id[:min(len(id), limit)], "-")
	if id == "" {
		id = "streak"
	}
	if n > 1 {
		id += "-" + strconv.Itoa(n)
	}
	return id
}
