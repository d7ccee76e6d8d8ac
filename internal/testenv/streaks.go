package testenv

import (
	"time"

	"laurel/internal/calendar"
	"laurel/internal/oracle"
	"laurel/streaks"
)

// StreakView is a view of a streak in the model's terms.
func StreakView(c *streaks.Calculus, v *streaks.View) oracle.View {
	moment := func(i calendar.Instant) time.Time {
		if i == 0 {
			return time.Time{}
		}
		return i.Time()
	}
	span := func(r streaks.Run) oracle.Span {
		if r.Length == 0 {
			return oracle.Span{}
		}
		return oracle.Span{Length: r.Length, First: c.Zoning.Label(r.First), Last: c.Zoning.Label(r.Last), Reached: moment(r.Reached)}
	}
	out := oracle.View{Current: span(v.Run), Longest: span(v.Longest), Total: v.Total, State: string(v.State), Zone: v.Zone,
		LastExtendedAt: moment(v.LastExtendedAt()), Deadline: moment(v.Deadline)}
	for _, p := range v.History {
		out.History = append(out.History, oracle.Period{Label: c.Zoning.Label(p.Ordinal), Status: string(p.Status), Values: p.Values, Met: p.Met})
	}
	return out
}
