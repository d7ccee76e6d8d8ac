package testenv

import (
	"time"

	"laurel/internal/calendar"
	"laurel/internal/oracle"
	"laurel/streaks"
)

// StreakView is a view of a streak in the model's terms, without the streaks before the one that was lost last.
func StreakView(c *streaks.Calculus, v *streaks.View) oracle.View {
	out := oracle.View{Current: span(c, v.Run), Longest: span(c, v.Longest), Total: v.Total, State: string(v.State), Zone: v.Zone,
		LastExtendedAt: moment(v.LastExtendedAt()), Deadline: moment(v.Deadline), DiesAt: moment(v.DiesAt), Held: v.Held, Used: v.Used,
		OptedOut: v.OptedOut}
	if v.Lost.Length > 0 {
		out.Lost = oracle.Ended{Span: span(c, v.Lost.Run), At: moment(v.LostAt)}
	}
	for _, p := range v.History {
		out.History = append(out.History, oracle.Period{Label: c.Zoning.Label(p.Ordinal), Status: string(p.Status), Values: p.Values, Target: p.Targets[0], Met: p.Met})
	}
	return out
}

// StreakEnds are runs that ended in the model's terms.
func StreakEnds(c *streaks.Calculus, ends []streaks.Ended, latest streaks.Latest) (out []oracle.Ended) {
	for i := range ends {
		out = append(out, oracle.Ended{Span: span(c, ends[i].Run), At: moment(c.EndedAt(&ends[i], latest))})
	}
	return out
}

func moment(i calendar.Instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return i.Time()
}

func span(c *streaks.Calculus, r streaks.Run) oracle.Span {
	if r.Length == 0 {
		return oracle.Span{}
	}
	return oracle.Span{Length: r.Length, First: c.Zoning.Label(r.First), Last: c.Zoning.Label(r.Last), Reached: moment(r.Reached)}
}
