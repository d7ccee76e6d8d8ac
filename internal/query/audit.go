package query

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/streaks"
)

// auditEntry is something that was ordered for a user.
type auditEntry struct {
	At       calendar.Instant `json:"at,omitzero"` // of the zone that a user began with there is none
	Type     string           `json:"type"`
	Rule     string           `json:"rule,omitempty"`
	Timezone string           `json:"timezone,omitempty"`
	Pause    string           `json:"pause,omitempty"`
	From     string           `json:"from,omitempty"`
	To       string           `json:"to,omitempty"`
	Count    int              `json:"count,omitzero"`
	Target   *Score           `json:"target,omitempty"`
	Reason   string           `json:"reason,omitempty"`
}

// Audit lists what was ordered for a user, oldest first: changes of zone, pauses, grants, restores, own targets, opting out and in. ErrUserNotFound, ErrUserMerged.
func (r *Reader) Audit(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	m, err := r.moment(ctx, org, user, nil)
	if err != nil {
		return nil, err
	}
	list := auditUser(m.state)
	for i := range m.state.Streaks {
		st := &m.state.Streaks[i]
		var c *streaks.Calculus // nil for a rule that there is no more
		if k, err := streakOf(m.plan, st.ID); err == nil {
			c = m.plan.Calculus(k, m.state)
		}
		list = append(list, auditStreak(c, st)...)
	}
	slices.SortStableFunc(list, func(a, b auditEntry) int { return cmp.Compare(a.At, b.At) })
	return json.Marshal(struct {
		Audit []auditEntry `json:"audit"`
	}{list}, json.Deterministic(true))
}

// auditUser is what concerns all streaks.
func auditUser(s *progress.State) []auditEntry {
	list := []auditEntry{}
	for _, z := range s.Zones {
		list = append(list, auditEntry{At: z.At, Type: "timezone_set", Timezone: z.Name})
	}
	for i := range s.Pauses {
		p := &s.Pauses[i]
		e := auditEntry{At: p.At, Type: "paused", Pause: strconv.FormatUint(uint64(p.ID), 10), From: p.From.String(), To: p.To.String()}
		list = append(list, e)
		if p.CutAt != 0 {
			e.At, e.Type = p.CutAt, "pause_ended"
			list = append(list, e)
		}
	}
	return list
}

// auditStreak is what concerns one streak; without its calculus periods cannot be named.
func auditStreak(c *streaks.Calculus, st *progress.StreakState) (list []auditEntry) {
	label, decimals := func(calendar.Ordinal) string { return "" }, 0
	if c != nil {
		label, decimals = c.Zoning.Label, c.Rule.Conditions[0].Decimals
	}
	for _, g := range st.Commands.Grants {
		list = append(list, auditEntry{At: g.At, Type: "freezes_granted", Rule: st.ID, From: label(g.From), Count: g.N})
	}
	for _, x := range st.Commands.Restores {
		list = append(list, auditEntry{At: x.At, Type: "restored", Rule: st.ID, From: label(x.First), To: label(x.Last), Reason: x.Reason})
	}
	for _, t := range st.Commands.Targets {
		e := auditEntry{At: t.At, Type: "target_set", Rule: st.ID, From: label(t.From), Target: &Score{t.N, decimals}}
		if t.N == 0 {
			e.Type, e.Target = "target_removed", nil
		}
		list = append(list, e)
	}
	for _, o := range st.Commands.OptOuts {
		e := auditEntry{At: o.At, Type: "opted_in", Rule: st.ID}
		if o.Out {
			e.Type = "opted_out"
		}
		list = append(list, e)
	}
	return list
}
