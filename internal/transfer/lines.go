package transfer

import (
	"fmt"
	"math"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
)

// Format is the version of the format that this package writes and reads.
const Format = 1

// The types of lines, in the order in which they come.
const (
	typeHeader   = "laurel.export"
	typeOrg      = "org"
	typeKey      = "key"
	typeImport   = "import"
	typeUser     = "user"
	typeActivity = "activity" // after its user
	typeTransfer = "transfer"
	typeEnd      = "end"
)

// header is the first line.
type header struct {
	Type      string           `json:"type"`
	Format    int              `json:"format"`
	ID        string           `json:"id"` // of this dump: random
	CreatedAt calendar.Instant `json:"created_at"`
	// CatalogFile is the hash of the catalog file that a server applied last, so that what was changed through the API since then stays.
	CatalogFile string `json:"catalog_file,omitempty"`
}

// orgLine is an org's definitions, and what else belongs to it as a whole.
type orgLine struct {
	Type    string         `json:"type"`
	Org     activity.Org   `json:"org"`
	Catalog jsontext.Value `json:"catalog"`
	// Fence is the document that every commit of the org names.
	Fence jsontext.Value `json:"fence,omitzero"`
	// Documents are the org's other documents, by name (see documents).
	Documents map[string][]byte `json:"documents,omitempty"`
	// Secrets are those of webhooks and hooks, by the hint that the catalog has of each.
	Secrets map[string]string `json:"secrets,omitempty"`
}

// keyLine is an API key. Of its secret it has the hash.
type keyLine struct {
	Type   string         `json:"type"`
	ID     string         `json:"id"`
	Record jsontext.Value `json:"record"`
}

// importLine is an import of history.
type importLine struct {
	Type   string         `json:"type"`
	Org    activity.Org   `json:"org"`
	ID     string         `json:"id"`
	Record jsontext.Value `json:"record"`
}

// userLine is what is said or decided of a user, and what the sealed activities amount to.
type userLine struct {
	Type    string        `json:"type"`
	Org     activity.Org  `json:"org"`
	User    activity.User `json:"user"`
	Hidden  bool          `json:"hidden,omitzero"`
	Blocked bool          `json:"blocked,omitzero"`
	Merged  activity.User `json:"merged_into,omitzero"`
	// Merging is, while a merge is under way, when it is carried on.
	Merging    calendar.Instant `json:"merging_at,omitzero"`
	Attributes []attributeLine  `json:"attributes,omitempty"`
	// Hashes are what else is kept of the user, by name (see hashes).
	Hashes  map[string]map[string]string `json:"hashes,omitempty"`
	Zones   []zoneLine                   `json:"zones,omitempty"`
	Pauses  []pauseLine                  `json:"pauses,omitempty"`
	Streaks []commandsLine               `json:"streaks,omitempty"`
	// Enrolments are the target groups that the user was put into.
	Enrolments []enrolmentLine `json:"enrolments,omitempty"`
	// Achievements and Missions are the instants of them that are not derived.
	Achievements []achievementLine `json:"achievements,omitempty"`
	Missions     []missionLine     `json:"missions,omitempty"`
	// Told is up to when time's own events of streaks have been told.
	Told       calendar.Instant `json:"told_until,omitzero"`
	Behaviours []behaviourLine  `json:"behaviours,omitempty"`
	Sealed     calendar.Instant `json:"sealed_before,omitzero"`
	// Base is what progress.State.Append gives, format number first.
	Base []byte `json:"base,omitempty"`
	// Activities is how many activity lines follow.
	Activities int `json:"activities"`
}

type attributeLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type zoneLine struct {
	At   calendar.Instant `json:"at"`
	Name string           `json:"name"`
}

type enrolmentLine struct {
	Group string           `json:"group"`
	At    calendar.Instant `json:"at"`
}

type behaviourLine struct {
	Name   string           `json:"name"`
	LastAt calendar.Instant `json:"last_at"`
	Counts []countLine      `json:"counts,omitempty"`
}

type countLine struct {
	Period calendar.Ordinal `json:"period"`
	N      int              `json:"n"`
}

// activityLine is one activity of the user line before it.
type activityLine struct {
	Type       string           `json:"type"`
	ID         activity.ID      `json:"id"`
	Kind       string           `json:"kind"`
	Name       string           `json:"name"`
	Value      *float64         `json:"value,omitzero"`
	Meta       jsontext.Value   `json:"meta,omitzero"`
	Attributes []attributeLine  `json:"attributes,omitempty"` // of the user, when it came: what rules segment by
	At         string           `json:"at"`                   // with its offset
	AtOmitted  bool             `json:"at_omitted,omitzero"`  // the customer left at out
	Received   calendar.Instant `json:"received_at"`
	Status     string           `json:"status"`
	Reason     string           `json:"reason,omitzero"`
	Imported   bool             `json:"imported,omitzero"`
	WasIgnored bool             `json:"was_ignored,omitzero"`
	Decided    *decidedLine     `json:"decided,omitempty"`
}

// Counts is how many lines of each type a dump has.
type Counts struct {
	Orgs       int `json:"orgs"`
	Keys       int `json:"keys"`
	Imports    int `json:"imports"`
	Users      int `json:"users"`
	Activities int `json:"activities"`
	Transfers  int `json:"transfers,omitzero"`
}

func (c *Counts) add(lineType string) {
	switch lineType {
	case typeOrg:
		c.Orgs++
	case typeKey:
		c.Keys++
	case typeImport:
		c.Imports++
	case typeUser:
		c.Users++
	case typeActivity:
		c.Activities++
	case typeTransfer:
		c.Transfers++
	}
}

// endLine is the last line.
type endLine struct {
	Type   string `json:"type"`
	Counts Counts `json:"counts"`
	SHA256 string `json:"sha256"` // of all bytes before this line, in hex
}

// encode makes a line. Texts of other documents inside stay byte for byte as they are.
func encode(line any) ([]byte, error) {
	b, err := json.Marshal(line, json.Deterministic(true), jsontext.PreserveRawStrings(true))
	return append(b, '\n'), err
}

// decode reads a line strictly: what this version does not know it must not drop.
func decode(b []byte, line any) error {
	return json.Unmarshal(b, line, json.RejectUnknownMembers(true))
}

// lineOfState is what a user's state says that is not made of activities.
func lineOfState(s *progress.State) userLine {
	u := userLine{Type: typeUser, Hidden: s.Hidden, Blocked: s.Blocked, Merged: s.Merged, Sealed: s.Sealed, Told: s.Told, Pauses: linesOfPauses(s.Pauses),
		Enrolments: converted(s.Enrolments, func(e progress.Enrolment) enrolmentLine { return enrolmentLine(e) })}
	if s.Merged != "" {
		u.Merging = s.Scheduled
	}
	for _, a := range s.Attributes {
		u.Attributes = append(u.Attributes, attributeLine(a))
	}
	for _, z := range s.Zones {
		u.Zones = append(u.Zones, zoneLine(z))
	}
	for i := range s.Streaks {
		if l, ok := lineOfCommands(&s.Streaks[i]); ok {
			u.Streaks = append(u.Streaks, l)
		}
	}
	u.linesOfEarnings(s.Earnings)
	for _, b := range s.Behaviours {
		counts := make([]countLine, len(b.Counts))
		for i, c := range b.Counts {
			counts[i] = countLine{c.Ordinal, c.N}
		}
		u.Behaviours = append(u.Behaviours, behaviourLine{b.Name, b.LastAt, counts})
	}
	return u
}

// state is the inverse of lineOfState.
func (u *userLine) state() *progress.State {
	s := &progress.State{Hidden: u.Hidden, Blocked: u.Blocked, Merged: u.Merged, Sealed: u.Sealed, Told: u.Told, Scheduled: u.Merging}
	for _, a := range u.Attributes {
		s.Attributes = append(s.Attributes, progress.Attribute(a))
	}
	for _, z := range u.Zones {
		s.Zones = append(s.Zones, progress.ZoneChange(z))
	}
	s.Enrolments = converted(u.Enrolments, func(l enrolmentLine) progress.Enrolment { return progress.Enrolment(l) })
	for i := range u.Pauses {
		s.Pauses = append(s.Pauses, u.Pauses[i].pause())
	}
	for i := range u.Streaks {
		s.Streaks = append(s.Streaks, u.Streaks[i].streak())
	}
	s.Earnings = u.earnings()
	for _, b := range u.Behaviours {
		counts := make([]progress.PeriodCount, len(b.Counts))
		for i, c := range b.Counts {
			counts[i] = progress.PeriodCount{Ordinal: c.Period, N: c.N}
		}
		s.Behaviours = append(s.Behaviours, progress.BehaviourState{Name: b.Name, LastAt: b.LastAt, Counts: counts})
	}
	return s
}

func lineOfActivity(a *activity.Activity) activityLine {
	l := activityLine{Type: typeActivity, ID: a.ID, Kind: a.Kind.String(), Name: a.Name, Meta: a.Meta, At: formatAt(a.At, a.Offset), AtOmitted: !a.AtGiven,
		Received: a.Received, Status: a.Status.String(), Reason: a.Reason, Imported: a.Imported, WasIgnored: a.WasIgnored, Decided: lineOfDecided(a.Decided)}
	if a.HasValue {
		l.Value = &a.Value
	}
	for _, at := range a.Attributes {
		l.Attributes = append(l.Attributes, attributeLine(at))
	}
	return l
}

// activity is the inverse of lineOfActivity.
func (l *activityLine) activity(user activity.User) (activity.Activity, error) {
	a := activity.Activity{ID: l.ID, User: user, Name: l.Name, Meta: l.Meta, AtGiven: !l.AtOmitted, Received: l.Received, Reason: l.Reason,
		Imported: l.Imported, WasIgnored: l.WasIgnored}
	if l.Value != nil {
		a.Value, a.HasValue = *l.Value, true
	}
	for _, at := range l.Attributes {
		a.Attributes = append(a.Attributes, activity.Attribute(at))
	}
	var known bool
	if a.Kind, known = parseKind(l.Kind); !known {
		return a, fmt.Errorf("%w: kind %q", ErrDamaged, l.Kind)
	}
	if a.Status, known = parseStatus(l.Status); !known {
		return a, fmt.Errorf("%w: status %q", ErrDamaged, l.Status)
	}
	at, offset, err := calendar.ParseInstant(l.At)
	if err != nil || l.ID == "" || math.IsNaN(a.Value) {
		return a, fmt.Errorf("%w: activity %q at %q", ErrDamaged, l.ID, l.At)
	}
	a.At, a.Offset = at, int16(offset/time.Minute)
	a.Decided, err = l.Decided.decided()
	return a, err
}

func parseStatus(s string) (activity.Status, bool) {
	for _, status := range []activity.Status{activity.Accepted, activity.Rejected, activity.Ignored} {
		if s == status.String() {
			return status, true
		}
	}
	return 0, false
}

// formatAt is an instant as it was written, at its offset in minutes east.
func formatAt(at calendar.Instant, offset int16) string {
	return at.Time().In(time.FixedZone("", int(offset)*60)).Format("2006-01-02T15:04:05.000Z07:00")
}
