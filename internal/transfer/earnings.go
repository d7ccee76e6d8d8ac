package transfer

import (
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// achievementLine is since when it is known that an achievement is completed which does not rest on activities alone.
type achievementLine struct {
	ID    string           `json:"id"`
	Noted calendar.Instant `json:"noted_at"`
}

// missionLine is when a mission was started, and since when it is known that its needs hold.
type missionLine struct {
	ID     string             `json:"id"`
	Starts []calendar.Instant `json:"started_at,omitempty"`
	Noted  calendar.Instant   `json:"noted_at,omitzero"`
}

// linesOfEarnings takes over what is noted of earnings; the rest is made of activities.
func (u *userLine) linesOfEarnings(e *progress.Earnings) {
	if e == nil {
		return
	}
	for i := range e.Achievements {
		if a := &e.Achievements[i]; a.Noted != 0 {
			u.Achievements = append(u.Achievements, achievementLine{a.ID, a.Noted})
		}
	}
	for i := range e.Missions {
		if m := &e.Missions[i]; len(m.Starts) > 0 || m.Noted != 0 {
			u.Missions = append(u.Missions, missionLine{m.ID, m.Starts, m.Noted})
		}
	}
}

// earnings is the inverse of linesOfEarnings.
func (u *userLine) earnings() *progress.Earnings {
	if len(u.Achievements) == 0 && len(u.Missions) == 0 {
		return nil
	}
	e := &progress.Earnings{}
	for _, l := range u.Achievements {
		e.Achievements = append(e.Achievements, progress.AchievementState{ID: l.ID, Kept: rewards.Kept{Noted: l.Noted}})
	}
	for _, l := range u.Missions {
		e.Missions = append(e.Missions, progress.MissionState{ID: l.ID, KeptMission: rewards.KeptMission{Starts: l.Starts, Noted: l.Noted}})
	}
	return e
}
