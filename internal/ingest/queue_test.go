package ingest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/activity"
)

// TestQueue_HandsOutEachOnce: whatever comes and goes, each unit is handed out once, those of a user and class in order, a batch is of one
// class and no larger than a commit may be, and while there is work of both classes they take turns.
func TestQueue_HandsOutEachOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &handout{T: t, q: newQueue(1 << 20), order: map[string]int{}}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(t, "step"); {
			case step < 2:
				h.push(class(step), rapid.IntRange(1, 700).Draw(t, "units"), rapid.SampledFrom([]int{3, 500, 5000}).Draw(t, "users"))
			case len(h.lane) > 0:
				h.done()
			case h.waits[asked]+h.waits[upkeep] > 0:
				h.take()
			}
		}
		h.done()
		h.q.close()
		for h.waits[asked]+h.waits[upkeep] > 0 {
			h.take()
			h.done()
		}
		if us := h.q.take(); len(us) != 0 || h.handed != h.pushed {
			t.Fatalf("%d units of %d were handed out, and %d more", h.handed, h.pushed, len(us))
		}
	})
}

// handout is a queue with one lane, and what has to be true of it.
type handout struct {
	*rapid.T
	q              *queue
	lane           []*unit
	pushed, handed int
	order          map[string]int // of user and class: the unit that was handed out last
	waits          [classes]int
	last           class
	turns          bool // last was taken while both classes waited, and nothing came since
}

func (h *handout) push(of class, n, users int) {
	us := make([]*unit, n)
	for i := range us {
		h.pushed++
		us[i] = &unit{index: h.pushed, activity: activity.Activity{User: activity.User(fmt.Sprint(h.pushed % users))}}
		if of == upkeep {
			us[i].command = &command{kind: sweep}
		}
	}
	if !h.q.push(of, us) {
		h.Fatal("refused below the limit")
	}
	h.waits[of] += n
	h.turns = false
}

func (h *handout) take() {
	both := h.waits[asked] > 0 && h.waits[upkeep] > 0
	h.lane = h.q.take()
	of := asked
	if h.lane[0].command != nil {
		of = upkeep
	}
	if both && h.turns && of == h.last {
		h.Fatalf("class %d twice, while the other one waits", of)
	}
	h.last, h.turns = of, both
	if len(h.lane) > maxBatch {
		h.Fatalf("%d units of class %d", len(h.lane), of)
	}
	for _, u := range h.lane {
		key := fmt.Sprint(of, u.activity.User)
		if (u.command != nil) != (of == upkeep) || u.index <= h.order[key] {
			h.Fatalf("unit %d of %s after %d", u.index, key, h.order[key])
		}
		h.order[key] = u.index
	}
	h.waits[of] -= len(h.lane)
	h.handed += len(h.lane)
}

func (h *handout) done() {
	h.q.done(h.lane)
	h.lane = nil
}

// TestQueue_OneLaneAUser: what is left for others while a user is worked on is handed out, and the user's own waits.
func TestQueue_OneLaneAUser(t *testing.T) {
	q := newQueue(10)
	unitOf := func(user activity.User) *unit { return &unit{activity: activity.Activity{User: user}} }
	q.push(asked, []*unit{unitOf("a")})
	first := q.take()
	q.push(upkeep, []*unit{unitOf("a"), unitOf("b")})
	second := q.take()
	if len(second) != 1 || second[0].activity.User != "b" || q.len(upkeep) != 1 {
		t.Fatalf("%d units, %d wait", len(second), q.len(upkeep))
	}
	q.done(first)
	if third := q.take(); len(third) != 1 || third[0].activity.User != "a" {
		t.Fatal("the user's own did not come")
	}
}

// TestQueue_LimitsEachClass: a full class refuses, and says nothing of the other one.
func TestQueue_LimitsEachClass(t *testing.T) {
	q := newQueue(2)
	us := []*unit{{}, {}}
	if !q.push(upkeep, us) || q.push(upkeep, us[:1]) || !q.push(asked, us) || q.push(asked, us[:1]) {
		t.Error("the limit is not that of a class")
	}
}
