package progress

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// Kinds of definitions that are derived.
const (
	achievements = catalog.Achievements
	missions     = catalog.Missions
)

// PointsExpired is what time did to a wallet.
const PointsExpired rewards.ChangeType = "points.expired"

// EarnedEvent is what became true of what a user earned; Event.Rule is the id of the definition.
type EarnedEvent struct {
	rewards.Change
	Decimals int    // of a wallet
	Name     string // of a level's step
}

// tellEarned tells of changes.
func (a *applier) tellEarned(at calendar.Instant, changes []rewards.Change) {
	c := a.plan.Catalog
	for _, change := range changes {
		e, told := Event{At: at}, &EarnedEvent{Change: change}
		switch change.Of.Kind {
		case catalog.Wallets:
			e.Rule, told.Decimals = c.Wallets[change.Of.Index].ID, c.Wallets[change.Of.Index].Decimals
		case catalog.Levels:
			l := c.Levels[change.Of.Index]
			e.Rule, told.Name = l.ID, l.Steps[change.Step-1].Name
		case achievements:
			def := c.Achievements[change.Of.Index]
			e.Rule, e.Period = def.ID, a.plan.cal.Label(perOf(def), change.Period)
		case missions:
			e.Rule = c.Missions[change.Of.Index].ID
		}
		e.Earned = told
		a.update.Events = append(a.update.Events, e)
	}
}

// passEarnings tells what time alone did to what was earned since an instant, and returns when it did the last of it.
func (a *applier) passEarnings(since, told calendar.Instant) calendar.Instant {
	if a.plan.earning == nil || a.state.Plan != a.plan.print {
		return told
	}
	x, c := a.room(), a.plan.earning.calculus
	a.derive(&x.before, since, since)
	for at, next := since, c.Next(&x.before, since); next != 0 && next <= a.now; next = c.Next(&x.before, next) {
		a.derive(&x.after, next, next)
		x.changes = x.changes[:0]
		for i := range x.after.Wallets {
			x.rows = c.Expiries(x.rows[:0], i, &x.after, &x.user, at, next)
			for _, row := range x.rows {
				of := catalog.Derived{Kind: catalog.Wallets, Index: i}
				x.changes = append(x.changes, rewards.Change{Type: PointsExpired, Of: of, At: row.At, Amount: -row.Amount})
			}
		}
		x.changes = c.Changes(x.changes, &x.before, &x.after)
		a.tellEarned(next, x.changes)
		at, told = next, max(told, next)
		x.before, x.after = x.after, x.before
	}
	return told
}

// appendJSON appends the members of the event behind its user.
func (e *EarnedEvent) appendJSON(b []byte, of *Event) []byte {
	member := func(name string) { b = append(append(append(b, `,"`...), name...), `":`...) }
	text := func(name, value string) {
		member(name)
		b, _ = jsontext.AppendQuote(b, value) // of the catalog, which is valid UTF-8
	}
	switch e.Of.Kind {
	case catalog.Wallets:
		text("wallet", of.Rule)
		member("amount")
		b = catalog.FormatScaled(b, e.Amount, e.Decimals)
	case catalog.Levels:
		text("level", of.Rule)
		member("step")
		b = strconv.AppendInt(b, int64(e.Step), 10)
		text("name", e.Name)
	case achievements:
		text("achievement", of.Rule)
		text("period", of.Period)
	case missions:
		text("mission", of.Rule)
	}
	if e.Of.Kind == achievements || e.Of.Kind == missions {
		member("since")
		b = append(e.Change.At.AppendFormat(append(b, '"')), '"')
	}
	return b
}
