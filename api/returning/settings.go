package returning

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/query"
	"laurel/internal/registry"
	"laurel/streaks"
)

// SettingsIn are what else a streak is kept by, in the words of the catalog. A member that is null goes back to what it is without; one that is left out stays.
type SettingsIn struct {
	DayStart      jsontext.Value `json:"dayStart,omitempty" doc:"When the local date begins" example:"\"4h\""`
	Grace         jsontext.Value `json:"grace,omitempty" doc:"How long after a period's end it may still be met" example:"\"6h\""`
	AtRisk        jsontext.Value `json:"atRisk,omitempty" doc:"How long before the deadline it is at risk" example:"\"4h\""`
	RestoreWindow jsontext.Value `json:"restoreWindow,omitempty" doc:"How long after its end it can be restored" example:"\"3d\""`
	Freezes       jsontext.Value `json:"freezes,omitempty" doc:"initial, earn_every, max"`
	OnMiss        jsontext.Value `json:"onMiss,omitempty" doc:"reset, none, or {decay: n}"`
	Milestones    jsontext.Value `json:"milestones,omitempty"`
	Holidays      jsontext.Value `json:"holidays,omitempty"`
}

// SettingsAnswer is those of one streak; what is not set is left out.
type SettingsAnswer struct {
	Status  string     `json:"status" enum:"success"`
	Message string     `json:"message"`
	Data    SettingsIn `json:"data"`
}

// members are the settings by the names of the catalog.
func (s *SettingsIn) members() map[string]*jsontext.Value {
	return map[string]*jsontext.Value{"day_start": &s.DayStart, "grace": &s.Grace, "at_risk": &s.AtRisk, "restore_window": &s.RestoreWindow, "freezes": &s.Freezes,
		"on_miss": &s.OnMiss, "milestones": &s.Milestones, "holidays": &s.Holidays}
}

// Settings are those of a streak. registry.ErrOrgNotFound, catalog.ErrNoDefinition.
func (d *Door) Settings(org activity.Org, id string) (*SettingsAnswer, error) {
	c := d.Catalogs.Catalog(org)
	if c == nil {
		return nil, registry.ErrOrgNotFound
	}
	return settingsOf(c, id, "Streak settings fetched successfully")
}

// SetSettings changes those that are named. catalog.ErrNoDefinition; *query.ParamError.
func (d *Door) SetSettings(ctx context.Context, org activity.Org, id string, in *SettingsIn) (*SettingsAnswer, error) {
	next, err := d.edit(ctx, org, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		was, err := old.Definition(catalog.Streaks, id)
		if err != nil {
			return nil, err
		}
		made := object{}
		if err := json.Unmarshal(was, &made); err != nil {
			return nil, err
		}
		for member, value := range in.members() {
			switch {
			case *value == nil:
			case value.Kind() == 'n':
				delete(made, member)
			default:
				made[member] = *value
			}
		}
		return put(old, id, made)
	})
	if err != nil {
		return nil, err
	}
	return settingsOf(next, id, "Streak settings updated successfully")
}

func settingsOf(c *catalog.Catalog, id, message string) (*SettingsAnswer, error) {
	text, err := c.Definition(catalog.Streaks, id)
	if err != nil {
		return nil, err
	}
	made := object{}
	if err := json.Unmarshal(text, &made); err != nil {
		return nil, err
	}
	answer := &SettingsAnswer{Status: success, Message: message}
	for member, value := range answer.Data.members() {
		*value = made[member]
	}
	return answer, nil
}

// StreakLogRequest asks for the periods of a user's streaks.
type StreakLogRequest struct {
	Identifier, IdentifierType string
	StreakID                   string // "" for all
	Page, Limit                int
}

// StreakLogAnswer is a page of them: streak by streak in the order of the catalog, newest first.
type StreakLogAnswer struct {
	Status     string      `json:"status" enum:"success"`
	Message    string      `json:"message"`
	Data       []StreakLog `json:"data" nullable:"false"`
	Pagination Pagination  `json:"pagination"`
}

// StreakLog is one period of one streak.
type StreakLog struct {
	StreakID      string               `json:"streakId"`
	StreakName    string               `json:"streakName"`
	UserID        string               `json:"userId"`
	Period        string               `json:"period" doc:"Its label" example:"2026-11-21"`
	Status        streaks.PeriodStatus `json:"status" doc:"As in the native history" example:"met"`
	Value         Number               `json:"value"`
	Target        Number               `json:"target"`
	CurrentStreak int                  `json:"currentStreak" doc:"Length now"`
	LongestStreak int                  `json:"longestStreak"`
}

// StreakLogs lists the last periods of a user's streaks, up to streaks.HistoryLen of each. catalog.ErrNoDefinition; *query.ParamError; query.ErrUserNotFound.
func (d *Door) StreakLogs(ctx context.Context, org activity.Org, r *StreakLogRequest) (*StreakLogAnswer, error) {
	p, err := d.identified(ctx, org, r.Identifier, r.IdentifierType)
	if err != nil {
		return nil, err
	}
	if r.StreakID != "" && p.Catalog.Streak(r.StreakID) == nil {
		return nil, catalog.ErrNoDefinition
	}
	var logs []StreakLog
	for i := range p.Streaks {
		if s := &p.Streaks[i]; r.StreakID == "" || s.Rule == r.StreakID {
			logs = appendLogs(logs, p, i)
		}
	}
	page, err := pageOf(r.Page, r.Limit, len(logs))
	if err != nil {
		return nil, err
	}
	return &StreakLogAnswer{success, "Streak logs fetched successfully", logs[page.from:page.to], page.pagination()}, nil
}

func appendLogs(logs []StreakLog, p *query.Person, i int) []StreakLog {
	def, is := p.Catalog.Streaks[i], &p.Streaks[i]
	for _, h := range slices.Backward(is.History) {
		logs = append(logs, StreakLog{StreakID: def.ID, StreakName: cmp.Or(def.Name, def.ID), UserID: string(p.User), Period: h.Period, Status: h.Status, Value: h.Value, Target: h.Target,
			CurrentStreak: is.Current, LongestStreak: is.Longest})
	}
	return logs
}
