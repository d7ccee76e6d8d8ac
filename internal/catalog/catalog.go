package catalog

import (
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Catalog is all definitions of one org, validated and compiled. It is immutable and safe for concurrent use.
type Catalog struct {
	Org    activity.Org
	Number int64 // shown by the Capillary-shaped door; 0: none
	// Parent is the org above this one in a hierarchy, which may be read from there; "" for none.
	Parent activity.Org
	// Leaderboards: the Capillary-shaped door shows leaderboards of the org.
	Leaderboards bool
	Zone         *time.Location
	WeekStart    time.Weekday
	// AutoCreate: an activity of an unknown user creates the user.
	AutoCreate bool
	// Fields are the custom fields of profiles, by name; nil for none.
	Fields map[string]MetaType
	Limits Limits
	// Behaviours by name; empty: any name is accepted and meta is untyped.
	Behaviours map[string]*Behaviour
	Rules      []*Rule   // in the order of the file
	Streaks    []*Streak // in the order of the file
	Earning
	Doors Doors
	// Secrets are those that definitions name, in the order of the source.
	Secrets []SecretUse
	// Source is the definition in canonical JSON (one org) without secrets, Hash its SHA-256 in hex: equal definitions have equal hashes.
	Source []byte
	Hash   string

	calendar *calendar.Calendar
	table    *table
}

// Limits bound what an org accepts and how long it is remembered.
type Limits struct {
	MaxPast    time.Duration // default 35 d
	MaxFuture  time.Duration // default 5 min
	CloseGrace time.Duration // default 35 d: late activities count until this long after a period's end
	LogDays    int           // default 90; Forever: logs are never folded
	Segments   int           // default 500: how many values of an attribute get boards
}

// Forever as LogDays means that logs are never folded.
const Forever = -1

// Behaviour declares an activity name.
type Behaviour struct {
	Name    string
	CoolOff time.Duration // 0: none
	// CapPer and CapCount bound how many activities of this name count per period of the org's calendar; CapCount 0: no cap.
	CapPer   calendar.Cycle
	CapCount int
	Meta     map[string]MetaType
}

// MetaType is the declared type of a meta key.
type MetaType uint8

// The types a meta key may be declared as.
const (
	Integer MetaType = iota + 1
	Number
	String
	Boolean
)

// Fold says how a rule makes one number of many activities.
type Fold uint8

// The folds of DESIGN §4.3.
const (
	Count Fold = iota + 1
	Sum
	Max
	Min
	Last
	Unique
)

// MaxUnique is how many different values a unique fold keeps per user and period.
const MaxUnique = 10_000

// MaxExact bounds every number: ±2^53 is exact in JSON clients and in Redis scores.
const MaxExact = 1 << 53

// Selector is what both rules and streak conditions are made of: which activities, and what number each gives.
// It is built by this package only; see Eval.
type Selector struct {
	Kind     activity.Kind
	AnyKind  bool     // no kind was given and no name: every kind matches, but credit. A name without a kind means behaviour.
	Names    []string // nil: any name
	Fold     Fold
	Decimals int // of the scaled integers; 0 for count and unique
	where    *program
	value    *program
	constant int64 // what each activity gives to the fold Sum where value is nil, scaled
}

// Rule is a compiled rule: a leaderboard for every period of every cycle.
type Rule struct {
	ID     string
	Number int64 // for doors that know numbers only, unique among rules and streaks; 0: none
	Selector
	Cycles    []calendar.Cycle
	Ascending bool
	Ties      Ties
	// SegmentBy is the attribute of users for each value of which the rule has boards beside those of everyone; "" for none.
	SegmentBy string
	// Keep is how many closed periods of a cycle (by Cycle.Key) are kept; absent: all.
	Keep map[string]int
	// Print is a fingerprint of what the rule's numbers depend on (selector, expressions, decimals, the meta types they read, SegmentBy): a
	// state folded under another fingerprint is stale and must be folded again.
	Print uint32
}

// Ties says how equal values are numbered.
type Ties uint8

// The numberings: 1 2 3 4, 1 2 2 4, 1 2 2 3.
const (
	Ordinal Ties = iota
	Standard
	Dense
)

// ZoneMode says whose zone stamps a streak's local dates.
type ZoneMode uint8

// The modes: the user's zone, else the rule's, else the org's (ZoneUser); always a named zone (ZoneNamed: Streak.Zone); the org's (ZoneOrg); the
// offset written in the activity's at (ZoneEvent).
const (
	ZoneOrg ZoneMode = iota
	ZoneUser
	ZoneNamed
	ZoneEvent
)

// OnMiss says what an uncovered miss does.
type OnMiss uint8

// Reset ends the run; None ignores misses; Decay takes Streak.Decay off the length.
const (
	Reset OnMiss = iota
	None
	Decay
)

// Streak is a compiled streak rule.
type Streak struct {
	ID         string
	Number     int64  // as Rule.Number
	Name       string // for people; "" for none
	All        bool   // conditions are joined by all; else by any
	Conditions []Condition
	Unit       calendar.Cycle  // Day, Week, Month or Days
	ActiveDays [7]bool         // by time.Weekday; all true where none are named
	Holidays   []calendar.Date // in order; days that are inactive, of unit Day only
	ZoneMode   ZoneMode
	Zone       *time.Location // ZoneNamed: that zone; ZoneUser: where the user has none (nil: org's)
	DayStart   time.Duration
	Grace      time.Duration
	AtRisk     time.Duration // 0: never at risk
	Freezes    Freezes
	Restore    time.Duration // restore window, 0: none
	OnMiss     OnMiss
	Decay      int
	Milestones []Milestone
	// MaxTarget is how high a user may raise the target of the one condition, scaled: at least AtLeast; 0: not at all.
	MaxTarget int64
	// Print is as Rule.Print, of what marks depend on: conditions, periods and grace. Terms is the fingerprint of what else the lengths depend on.
	Print, Terms uint32
}

// Condition must hold in a period: its fold is at least AtLeast (scaled by Decimals).
type Condition struct {
	Selector
	AtLeast int64
}

// Freezes of a streak rule: how many a user starts with, after how many met periods of a streak one more comes (0: never), and how many may be held.
// 0 ≤ Initial ≤ Max ≤ 100.
type Freezes struct{ Initial, EarnEvery, Max int }

// Milestone is a length that is worth an event: At it, or at Every n-th, of which one is 0; OncePerRun repeats it in each run. No two of a streak
// rule are of the same At or the same Every.
type Milestone struct {
	At, Every  int
	OncePerRun bool
}
