package grants

import (
	"cmp"
	"slices"
	"strings"

	"laurel/internal/calendar"
)

// ByLevel begins By of what a level's step gives.
const ByLevel = "level:"

// Given is a grant that a completion gives.
type Given struct {
	ID, Reward, By string
	// At is when what gives it was completed. Noticed says that this is when it was noticed, as no instant is derived: what was issued then stays so.
	At      calendar.Instant
	Noticed bool
}

// Due is what completions give a user.
type Due struct {
	Given []Given // in the order in which it is told of
	// Since is from when on all completions are among Given: what was issued before is of one that was summed up, and stays. Levels are not summed up.
	Since calendar.Instant
	// Told says that what becomes of it is to be told.
	Told bool
}

// Verdict is what is to become of a grant.
type Verdict uint8

// The verdicts: a grant that was not there or had gone comes, one moves to another instant, one goes, and of what was refused for want of stock the record goes.
const (
	Comes Verdict = iota + 1
	Moves
	Goes
	Forgotten
)

// Judgement is a verdict on a grant: as it is stored, or, for one that comes for the first time, with what is known of it.
type Judgement struct {
	Verdict
	Grant
	At calendar.Instant // of Comes and Moves
}

// Judge compares what completions give with what is there. What was claimed or redeemed stays, whatever becomes of the completion. What comes and moves stands in the order of due, then
// what goes in that of ids.
func (s Set) Judge(due *Due) (js []Judgement) {
	given := make(map[string]bool, len(due.Given))
	for _, w := range due.Given {
		if given[w.ID] {
			continue
		}
		given[w.ID] = true
		have, there := s[w.ID]
		switch {
		case !there:
			js = append(js, Judgement{Comes, Grant{ID: w.ID, Reward: w.Reward, By: w.By, Count: 1, Derived: true}, w.At})
		case have.State == Revoked:
			js = append(js, Judgement{Comes, have, w.At})
		case (have.State == Issued || have.State == Refused) && have.IssuedAt != w.At && !w.Noticed:
			js = append(js, Judgement{Moves, have, w.At})
		}
	}
	came := len(js)
	for id, have := range s {
		if !have.Derived || given[id] || have.IssuedAt < due.Since && !strings.HasPrefix(have.By, ByLevel) {
			continue
		}
		switch have.State {
		case Issued:
			js = append(js, Judgement{Verdict: Goes, Grant: have})
		case Refused:
			js = append(js, Judgement{Verdict: Forgotten, Grant: have})
		}
	}
	slices.SortFunc(js[came:], func(a, b Judgement) int { return cmp.Compare(a.ID, b.ID) })
	return js
}
