package transfer

import (
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/streaks"
)

// date is a local date, as text.
type date calendar.Date

// MarshalText implements encoding.TextMarshaler.
func (d date) MarshalText() ([]byte, error) { return []byte(calendar.Date(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *date) UnmarshalText(b []byte) error {
	parsed, err := calendar.ParseDate(string(b))
	*d = date(parsed)
	return err
}

// pauseLine is a pause of a user. One that was ended has CutAt and the last date that was left of it.
type pauseLine struct {
	ID    uint32           `json:"id"`
	At    calendar.Instant `json:"at"`
	From  date             `json:"from"`
	To    date             `json:"to"`
	CutAt calendar.Instant `json:"cut_at,omitzero"`
	CutTo *date            `json:"cut_to,omitempty"`
}

// commandsLine is what was ordered for one streak of a user. Periods are numbers, as in countLine.
type commandsLine struct {
	Rule     string        `json:"rule"`
	Grants   []grantLine   `json:"grants,omitempty"`
	Restores []restoreLine `json:"restores,omitempty"`
	Targets  []targetLine  `json:"targets,omitempty"`
	OptOuts  []optOutLine  `json:"opt_outs,omitempty"`
	// Warned is the period of which streak.at_risk was told last.
	Warned *calendar.Ordinal `json:"at_risk_told,omitempty"`
}

type grantLine struct {
	At   calendar.Instant `json:"at"`
	From calendar.Ordinal `json:"from"`
	N    int              `json:"n"`
}

type restoreLine struct {
	At     calendar.Instant `json:"at"`
	First  calendar.Ordinal `json:"first"`
	Last   calendar.Ordinal `json:"last"`
	Reason string           `json:"reason,omitempty"`
}

type targetLine struct {
	At   calendar.Instant `json:"at"`
	From calendar.Ordinal `json:"from"`
	N    int64            `json:"n"`
}

type optOutLine struct {
	At  calendar.Instant `json:"at"`
	Out bool             `json:"out"`
}

func linesOfPauses(pauses []streaks.Pause) (lines []pauseLine) {
	for _, p := range pauses {
		l := pauseLine{ID: p.ID, At: p.At, From: date(p.From), To: date(p.To), CutAt: p.CutAt}
		if p.CutAt != 0 {
			cut := date(p.CutTo)
			l.CutTo = &cut
		}
		lines = append(lines, l)
	}
	return lines
}

func (l *pauseLine) pause() streaks.Pause {
	p := streaks.Pause{ID: l.ID, At: l.At, From: calendar.Date(l.From), To: calendar.Date(l.To), CutAt: l.CutAt}
	if l.CutTo != nil {
		p.CutTo = calendar.Date(*l.CutTo)
	}
	return p
}

// lineOfCommands is what was ordered for a streak, and told of its risk; ok is false where nothing was.
func lineOfCommands(st *progress.StreakState) (l commandsLine, ok bool) {
	c := &st.Commands
	l = commandsLine{Rule: st.ID, Grants: converted(c.Grants, func(g streaks.Grant) grantLine { return grantLine(g) }),
		Restores: converted(c.Restores, func(r streaks.Restore) restoreLine { return restoreLine(r) }),
		Targets:  converted(c.Targets, func(t streaks.Target) targetLine { return targetLine(t) }),
		OptOuts:  converted(c.OptOuts, func(o streaks.OptOut) optOutLine { return optOutLine(o) })}
	if st.Warned.Some {
		l.Warned = &st.Warned.Period
	}
	return l, l.Warned != nil || len(c.Grants)+len(c.Restores)+len(c.Targets)+len(c.OptOuts) > 0
}

// streak is the inverse of lineOfCommands: a streak of which nothing else is known yet.
func (l *commandsLine) streak() progress.StreakState {
	st := progress.StreakState{ID: l.Rule, Commands: streaks.Commands{
		Grants:   converted(l.Grants, func(g grantLine) streaks.Grant { return streaks.Grant(g) }),
		Restores: converted(l.Restores, func(r restoreLine) streaks.Restore { return streaks.Restore(r) }),
		Targets:  converted(l.Targets, func(t targetLine) streaks.Target { return streaks.Target(t) }),
		OptOuts:  converted(l.OptOuts, func(o optOutLine) streaks.OptOut { return streaks.OptOut(o) })}}
	if l.Warned != nil {
		st.Warned = progress.Warning{Some: true, Period: *l.Warned}
	}
	return st
}

// converted is each element in another form; nil for none.
func converted[From, To any](all []From, to func(From) To) (out []To) {
	for _, x := range all {
		out = append(out, to(x))
	}
	return out
}
