package catalog

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The plain structs of a source. They take what is left once the structural faults are out: a missing or faulty value is the zero
// value, a faulty item of a list is nil. The schema says what each may hold; here stands only what it becomes.

type fileSource struct {
	Orgs []*orgSource `json:"orgs"`
}

type orgSource struct {
	ID         string             `json:"id"`
	Number     int64              `json:"number"`
	Parent     string             `json:"parent"`
	Boards     *bool              `json:"leaderboards"`
	Timezone   string             `json:"timezone"`
	WeekStart  string             `json:"week_start"`
	Users      usersSource        `json:"users"`
	Limits     limitsSource       `json:"limits"`
	Behaviours []*behaviourSource `json:"behaviours"`
	Rules      []*ruleSource      `json:"rules"`
	Streaks    []*streakSource    `json:"streaks"`
	earningSource
}

type usersSource struct {
	AutoCreate *bool               `json:"auto_create"`
	Fields     map[string]MetaType `json:"fields"`
}

type limitsSource struct {
	MaxPast    *durationSource `json:"max_past"`
	MaxFuture  *durationSource `json:"max_future"`
	CloseGrace *durationSource `json:"close_grace"`
	LogDays    *logDaysSource  `json:"log_days"`
	Segments   *int            `json:"segments"`
}

type behaviourSource struct {
	Name    string              `json:"name"`
	CoolOff durationSource      `json:"cool_off"`
	Cap     *capSource          `json:"cap"`
	Meta    map[string]MetaType `json:"meta"`
}

type capSource struct {
	Per   string `json:"per"`
	Count int    `json:"count"`
}

type ruleSource struct {
	ID        string         `json:"id"`
	Number    int64          `json:"number"`
	When      *whenSource    `json:"when"`
	Value     *valueSource   `json:"value"`
	Decimals  int            `json:"decimals"`
	Cycles    []*cycleSource `json:"cycles"`
	Order     string         `json:"order"`
	Ties      string         `json:"ties"`
	SegmentBy string         `json:"segment_by"`
	Keep      map[string]int `json:"keep"`
}

type whenSource struct {
	Kind  string      `json:"kind"`
	Name  namesSource `json:"name"`
	Where string      `json:"where"`
}

type cycleSource struct {
	Word  string
	Every daysSource  `json:"every"`
	From  string      `json:"from"`
	List  *listSource `json:"list"`
}

type listSource struct {
	ID      string          `json:"id"`
	Periods []*windowSource `json:"periods"`
}

type windowSource struct {
	ID    string `json:"id"`
	Start string `json:"start"`
	End   string `json:"end"`
}

type streakSource struct {
	ID            string             `json:"id"`
	Number        int64              `json:"number"`
	Name          string             `json:"name"`
	When          *whenSource        `json:"when"`
	Target        *int64             `json:"target"`
	UserTarget    *userTargetSource  `json:"user_target"`
	Any           []*conditionSource `json:"any"`
	All           []*conditionSource `json:"all"`
	Unit          *cycleSource       `json:"unit"`
	ActiveDays    []string           `json:"active_days"`
	Holidays      []string           `json:"holidays"`
	Timezone      streakZoneSource   `json:"timezone"`
	DayStart      durationSource     `json:"day_start"`
	Grace         durationSource     `json:"grace"`
	AtRisk        durationSource     `json:"at_risk"`
	Freezes       freezesSource      `json:"freezes"`
	RestoreWindow durationSource     `json:"restore_window"`
	OnMiss        onMissSource       `json:"on_miss"`
	Milestones    []*milestoneSource `json:"milestones"`
}

type conditionSource struct {
	When     *whenSource  `json:"when"`
	Value    *valueSource `json:"value"`
	Decimals int          `json:"decimals"`
	AtLeast  *float64     `json:"at_least"`
}

type userTargetSource struct {
	Max int64 `json:"max"`
}

type freezesSource struct {
	Initial   int  `json:"initial"`
	EarnEvery int  `json:"earn_every"`
	Max       *int `json:"max"`
}

type milestoneSource struct {
	At    int    `json:"at"`
	Every int    `json:"every"`
	Once  string `json:"once"`
}

// durationSource reads 35d, 5m, 1h30m. A day has 24 hours. The schema bounds the digits such that the sum of two durations, at most 286
// years, is still one.
type durationSource time.Duration

func (d *durationSource) UnmarshalText(text []byte) error {
	rest := string(text)
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		digits, tail, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return err
		}
		*d += durationSource(time.Duration(n) * unit.length)
		rest = tail
	}
	return nil
}

// daysSource reads 14d.
type daysSource int

func (d *daysSource) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(strings.TrimSuffix(string(text), "d"))
	*d = daysSource(n)
	return err
}

// logDaysSource reads a number of days, or forever.
type logDaysSource int

func (l *logDaysSource) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		*l = Forever
		return nil
	}
	return json.Unmarshal(b, (*int)(l))
}

// namesSource reads one name or a list of them.
type namesSource []string

func (n *namesSource) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(n))
	}
	*n = namesSource{""}
	return json.Unmarshal(b, &(*n)[0])
}

// valueSource reads count, or {sum: expression} and its like.
type valueSource struct {
	Fold Fold
	Word string // the key of the expression; empty for count
	Text string
}

func (v *valueSource) UnmarshalJSON(b []byte) error {
	*v = valueSource{Fold: Count}
	if b[0] == '"' {
		return nil
	}
	var object map[string]string
	if err := json.Unmarshal(b, &object); err != nil {
		return err
	}
	for word, text := range object {
		*v = valueSource{Fold: foldOf(word), Word: word, Text: text}
	}
	return nil
}

func foldOf(word string) Fold {
	switch word {
	case "sum":
		return Sum
	case "max":
		return Max
	case "min":
		return Min
	case "last":
		return Last
	case "unique":
		return Unique
	}
	return Count
}

// UnmarshalJSON reads a word or an object; a unit of a streak has the same forms as a cycle, save the list.
func (c *cycleSource) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &c.Word)
	}
	type object cycleSource
	return json.Unmarshal(b, (*object)(c))
}

// streakZoneSource reads event, user, org, a zone, or {user: zone}.
type streakZoneSource struct {
	Word string
	User string
}

func (z *streakZoneSource) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &z.Word)
	}
	z.Word = "user"
	var object struct {
		User string `json:"user"`
	}
	err := json.Unmarshal(b, &object)
	z.User = object.User
	return err
}

// onMissSource reads reset, none, or {decay: n}.
type onMissSource struct {
	OnMiss OnMiss
	Decay  int
}

func (o *onMissSource) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		if string(b) == `"none"` {
			o.OnMiss = None
		}
		return nil
	}
	o.OnMiss = Decay
	var object struct {
		Decay int `json:"decay"`
	}
	err := json.Unmarshal(b, &object)
	o.Decay = object.Decay
	return err
}

// UnmarshalText reads the word of a meta type.
func (m *MetaType) UnmarshalText(text []byte) error {
	for t := Integer; t <= Boolean; t++ {
		if t.String() == string(text) {
			*m = t
		}
	}
	return nil
}

// String is the word of the catalog: integer, number, string, boolean; anything for 0, which no declaration has.
func (m MetaType) String() string {
	switch m {
	case Integer:
		return "integer"
	case Number:
		return "number"
	case String:
		return "string"
	case Boolean:
		return "boolean"
	}
	return "anything"
}

// String is the word of the catalog.
func (f Fold) String() string {
	switch f {
	case Count:
		return "count"
	case Sum:
		return "sum"
	case Max:
		return "max"
	case Min:
		return "min"
	case Last:
		return "last"
	case Unique:
		return "unique"
	}
	return "fold " + strconv.Itoa(int(f))
}

// reserved says that an id could be taken for a cycle or the label of a period of one.
func reserved(id string) bool {
	switch id {
	case "day", "week", "month", "quarter", "year", "all":
		return true
	}
	return regexp.MustCompile(`^([0-9]{4,}(-[wq]?[0-9]+)*|[0-9]+d(-.*)?)$`).MatchString(id)
}
