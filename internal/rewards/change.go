package rewards

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// ChangeType is what became true of a user, as events say it.
type ChangeType string

// What Changes tells of.
const (
	PointsEarned         ChangeType = "points.earned"
	LevelReached         ChangeType = "level.reached"
	LevelUndone          ChangeType = "level.undone"
	AchievementCompleted ChangeType = "achievement.completed"
	AchievementUndone    ChangeType = "achievement.undone"
	MissionStarted       ChangeType = "mission.started"
	MissionCompleted     ChangeType = "mission.completed"
	MissionFailed        ChangeType = "mission.failed"
	MissionUndone        ChangeType = "mission.undone"
)

// Change is something that became true.
type Change struct {
	Type ChangeType
	Of   catalog.Derived // a wallet, level, achievement or mission
	// At is when, as far as it is derived: of achievements and missions; what is undone had come true then. 0 of others.
	At     calendar.Instant
	Amount int64            // of PointsEarned: how much more was earned, above 0
	Step   int              // of levels: the step, from 1
	Period calendar.Ordinal // of achievements
}

// Changes appends what became true between two views of a user: wallets, levels, achievements, missions, each in the order of the definitions. Of one level, steps rise
// where they are reached and fall where they are undone; of one achievement, periods rise; of one mission, what was undone comes first, then starts and failures as they happened,
// then the completion. That something was summed up in between, or is true since another instant, is no change. Which of several periods of one achievement are completed that
// were summed up is not known any more: of them nothing is told.
func (c *Calculus) Changes(changes []Change, before, after *View) []Change {
	for i := range after.Wallets {
		if more := after.Wallets[i].Earned - or(before.Wallets, i, &Wallet{}).Earned; more > 0 {
			changes = append(changes, Change{Type: PointsEarned, Of: catalog.Derived{Kind: wallets, Index: i}, Amount: more})
		}
	}
	for i := range after.Levels {
		was, is := or(before.Levels, i, &Level{}).Index, after.Levels[i].Index
		of := catalog.Derived{Kind: levels, Index: i}
		for step := was; step > is; step-- {
			changes = append(changes, Change{Type: LevelUndone, Of: of, Step: step})
		}
		for step := was + 1; step <= is; step++ {
			changes = append(changes, Change{Type: LevelReached, Of: of, Step: step})
		}
	}
	for i := range after.Achievements {
		changes = changedAchievement(changes, i, before, after)
	}
	for i := range after.Missions {
		changes = changedMission(changes, i, or(before.Missions, i, &Mission{}), &after.Missions[i])
	}
	return changes
}

func changedAchievement(changes []Change, i int, before, after *View) []Change {
	var was []Completion
	old, a := or(before.Achievements, i, &Achievement{}), &after.Achievements[i]
	if i < len(before.Achievements) {
		was = before.Periods(i)
	}
	is := after.Periods(i)
	if old.summed == 1 && a.summed == 0 && (len(is) == 0 || is[0].Period > old.last) {
		changes = append(changes, Change{Type: AchievementUndone, Of: catalog.Derived{Kind: achievements, Index: i}, Period: old.last, At: old.FirstAt})
	}
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0].Period < is[0].Period:
			if !a.hasSummed(was[0].Period) {
				changes = append(changes, Change{Type: AchievementUndone, Of: was[0].Of, Period: was[0].Period, At: was[0].At})
			}
			was = was[1:]
		case len(was) == 0 || is[0].Period < was[0].Period:
			if !old.hasSummed(is[0].Period) {
				changes = append(changes, Change{Type: AchievementCompleted, Of: is[0].Of, Period: is[0].Period, At: is[0].At})
			}
			is = is[1:]
		default:
			was, is = was[1:], is[1:]
		}
	}
	return changes
}

// hasSummed says that a period is one of those that are over and done with.
func (a *Achievement) hasSummed(period calendar.Ordinal) bool {
	return a.summed > 0 && period <= a.last
}

func changedMission(changes []Change, i int, was, is *Mission) []Change {
	add := func(t ChangeType, at calendar.Instant) {
		changes = append(changes, Change{Type: t, Of: catalog.Derived{Kind: missions, Index: i}, At: at})
	}
	if was.Status == Completed && is.Status != Completed {
		add(MissionUndone, was.CompletedAt)
	}
	started, failed := is.Attempts > was.Attempts, is.Failures > was.Failures
	switch {
	case started && failed && is.FailedAt <= is.StartedAt:
		add(MissionFailed, is.FailedAt)
		add(MissionStarted, is.StartedAt)
	default:
		if started {
			add(MissionStarted, is.StartedAt)
		}
		if failed {
			add(MissionFailed, is.FailedAt)
		}
	}
	if is.Status == Completed && was.Status != Completed {
		add(MissionCompleted, is.CompletedAt)
	}
	return changes
}
