package progress_test

import (
	"fmt"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/grants"
)

// grant carries out what is judged of the user's grants, as whoever commits does, and claims some.
func (u *user) grant(due *grants.Due) {
	if u.granted == nil {
		u.granted = grants.Set{}
	}
	if due == nil {
		return
	}
	for _, j := range u.granted.Judge(due) {
		g := j.Grant
		switch j.Verdict {
		case grants.Comes:
			g.Issue(j.At, 0)
		case grants.Moves:
			g.IssuedAt = j.At
		case grants.Goes:
			g.State = grants.Revoked
		}
		if j.Verdict == grants.Comes && rapid.IntRange(0, 9).Draw(u.t, "claimed") == 0 {
			g.State = grants.Claimed
		}
		u.granted[g.ID] = g
	}
}

// compareGranted compares the grants with what is completed in the model, and when.
func (u *user) compareGranted() {
	shown, c := u.earner.Earned(u.now), u.catalog
	want, got, at := map[string]string{}, map[string]string{}, map[string]calendar.Instant{}
	give := func(of []int, by string, issued calendar.Instant) {
		for _, i := range of {
			want[by+":"+c.Rewards[i].ID], at[by+":"+c.Rewards[i].ID] = c.Rewards[i].ID, issued
		}
	}
	for i, l := range c.Levels {
		for step := range shown.Levels[i] {
			give(l.Steps[step].Grants, fmt.Sprint("level:", l.ID, ":", step+1), 0)
		}
	}
	for i, a := range c.Achievements {
		for _, label := range u.earner.Completed(i, u.now) {
			if label == "all" {
				give(a.Grants, "achievement:"+a.ID, calendar.InstantOf(shown.Achievements[i].FirstAt))
			} else {
				give(a.Grants, "achievement:"+a.ID+":"+label, 0)
			}
		}
	}
	for i, m := range c.Missions {
		if shown.Missions[i].Status == "completed" {
			give(m.Grants, "mission:"+m.ID, calendar.InstantOf(shown.Missions[i].Done))
		}
	}
	for id, g := range u.granted {
		switch {
		case g.State == grants.Claimed:
			got[id], want[id] = g.Reward, g.Reward
		case g.State == grants.Issued:
			got[id] = g.Reward
			if at[id] != 0 && at[id] != g.IssuedAt {
				u.fatalf("grant %q is of %v, want %v", id, g.IssuedAt, at[id])
			}
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		u.fatalf("grants at %v, sealed %v (-model +judged)\n%s", u.now, u.sealed, diff)
	}
	state := u.parse(u.state)
	if due := state.DueGrants(u.plan, u.instant()); due != nil {
		if js := u.granted.Judge(due); slices.ContainsFunc(js, func(j grants.Judgement) bool { return j.Verdict != 0 }) {
			u.fatalf("judged again, %+v", js)
		}
	}
}
