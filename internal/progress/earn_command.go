package progress

import (
	"errors"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Why a mission is not started.
var (
	ErrMissionNotFound = errors.New("org has no such mission")
	ErrNotStartable    = errors.New("mission starts by itself, runs, was completed, or has no attempt left")
)

// StartMission starts a mission now. The state with the command is returned. ErrMissionNotFound, ErrNotStartable.
func (s *State) StartMission(p *Plan, id string, now calendar.Instant) (*State, error) {
	i := slices.IndexFunc(p.Catalog.Missions, func(m *catalog.Mission) bool { return m.ID == id })
	switch {
	case i < 0:
		return nil, ErrMissionNotFound
	case !s.DeriveEarned(p, now).Missions[i].Startable:
		return nil, ErrNotStartable
	}
	next := s.with()
	m := next.openMission(id)
	at := now
	if n := len(m.Starts); n > 0 {
		at = max(at, m.Starts[n-1]) // another node's clock may be ahead
	}
	m.Starts = append(m.Starts, at)
	return next, nil
}

// with is a copy whose missions can be added to.
func (e *Earnings) with() *Earnings {
	if e == nil {
		return nil
	}
	next := *e
	next.Achievements, next.Missions = slices.Clone(e.Achievements), slices.Clone(e.Missions)
	for i := range next.Missions {
		next.Missions[i].Starts = slices.Clip(next.Missions[i].Starts)
	}
	return &next
}
