package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/oracle"
)

// witness compares some of the users of a passage with a model of its own.
type witness struct {
	*passage
	random  *rand.Rand
	model   *oracle.Model // of one user after the other; it remembers what it found out about zones
	users   []string      // in order of their first activities
	courses map[string][]*oracle.Course
	asked   asked
}

func newWitness(p *passage, random *rand.Rand) *witness {
	return &witness{passage: p, random: random, courses: map[string][]*oracle.Course{},
		model: &oracle.Model{Org: oracle.Org{Zone: time.UTC, WeekStart: time.Monday}}}
}

// meet takes on a user.
func (w *witness) meet(user string) {
	w.users = append(w.users, user)
	for i := range w.streaks {
		w.courses[user] = append(w.courses[user], w.model.Course(&w.streaks[i], user))
	}
}

// Of so many users one is also compared with what the model makes of the whole history at once, and of sampledPast as of an instant before. Histories of
// more activities than long, which take it long, are taken that much more rarely.
const (
	sampled     = 40
	sampledPast = 80
	long        = 300
)

// month compares everybody.
func (w *witness) month() error {
	for _, user := range w.users {
		own := w.own[user]
		if _, err := w.present(user, own); err != nil {
			return err
		}
		if w.random.IntN(sampledPast) > 0 || w.random.IntN(len(own)) >= long {
			continue
		}
		before := w.now.Add(-time.Duration(w.random.Int64N(passageLog.Milliseconds())) * time.Millisecond) // the log is still whole then
		if err := w.past(user, own, before); err != nil {
			return err
		}
	}
	return nil
}

// present compares a user's streaks as of now.
func (w *witness) present(user string, own []oracle.Record) ([]oracle.View, error) {
	w.asked.users++
	w.model.Records = own
	views := make([]oracle.View, len(w.streaks))
	for i, c := range w.courses[user] {
		views[i] = c.At(w.now)
	}
	if w.random.IntN(sampled) == 0 && w.random.IntN(len(own)) < long {
		w.asked.plain++
		for i := range views {
			if diff := cmp.Diff(w.model.Streak(&w.streaks[i], user, w.now), views[i]); diff != "" {
				return nil, fmt.Errorf("model of %s %s at %s (-at once +as time passed)\n%s", user, w.streaks[i].ID, w.now, diff)
			}
		}
	}
	return views, w.compareText(user, views, w.now)
}

// past compares a user's streaks by the activities up to an instant.
func (w *witness) past(user string, own []oracle.Record, at time.Time) error {
	w.asked.past++
	w.model.Records = nil
	for i := range own {
		if !own[i].At.After(at) {
			w.model.Records = append(w.model.Records, own[i])
		}
	}
	views := make([]oracle.View, len(w.streaks))
	for i := range views {
		views[i] = w.model.Streak(&w.streaks[i], user, at)
	}
	return w.compareText(user, views, at)
}

// end compares everybody, gathers their lengths, and compares what events told of them, one by one.
func (w *witness) end(lengths *lengthBoards) error {
	for _, user := range w.users {
		views, err := w.present(user, w.own[user])
		if err != nil {
			return err
		}
		for i := range views {
			s := &w.streaks[i]
			lengths.add(s.ID+".current", user, views[i].Current)
			lengths.add(s.ID+".longest", user, views[i].Longest)
			if w.prompt[user] {
				if err := w.told.compare(user, s, &views[i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
