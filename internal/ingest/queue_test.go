package ingest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/activity"
)

// TestQueue_HandsOutEachOnce: whatever comes and goes, each unit is handed out once, those of a user and class in order, a user to one lane at a time, a batch is of one
// class and no larger than its batches are, and while there is work of both classes they take turns.
func TestQueue_HandsOutEachOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue(1 << 20)
		type lane = []*unit
		var lanes []lane
		pushed, order := 0, map[string]int{} // of user and class: the number that was handed out last
		var waits [classes]int
		last, turns := class(-1), false
		handed := 0
		name := func(of class, u *unit) string { return fmt.Sprint(of, u.activity.User) }
		push := func(of class, n, users int) {
			us := make([]*unit, n)
			for i := range us {
				pushed++
				us[i] = &unit{index: pushed, activity: activity.Activity{User: activity.User(fmt.Sprint(pushed % users))}}
				if of == upkeep {
					us[i].command = &command{kind: sweep}
				}
			}
			if !q.push(of, us) {
				t.Fatal("refused below the limit")
			}
			waits[of] += n
		}
		take := func() {
			both := waits[asked] > 0 && waits[upkeep] > 0 && len(lanes) == 0 // then nobody is busy
			us := q.take()
			of := asked
			if us[0].command != nil {
				of = upkeep
			}
			if both && turns && of == last {
				t.Fatalf("class %d twice, while the other one waits", of)
			}
			last, turns = of, both
			if len(us) > of.batch() {
				t.Fatalf("%d units of class %d", len(us), of)
			}
			for _, u := range us {
				if (u.command != nil) != (of == upkeep) {
					t.Fatal("a batch of two classes")
				}
				if k := name(of, u); u.index <= order[k] {
					t.Fatalf("unit %d of %s after %d", u.index, k, order[k])
				} else {
					order[k] = u.index
				}
				for _, l := range lanes {
					for _, other := range l {
						if other.key() == u.key() {
							t.Fatalf("user %s is in two lanes", u.activity.User)
						}
					}
				}
			}
			waits[of] -= len(us)
			handed += len(us)
			lanes = append(lanes, us)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(t, "step"); {
			case step < 2:
				push(class(step), rapid.IntRange(1, 700).Draw(t, "units"), rapid.SampledFrom([]int{3, 500, 5000}).Draw(t, "users"))
				turns = false
			case step == 2 && len(lanes) == 0 && waits[asked]+waits[upkeep] > 0:
				take()
				if rapid.Bool().Draw(t, "at once") {
					q.done(lanes[0])
					lanes = lanes[:0]
				}
			case len(lanes) > 0:
				q.done(lanes[0])
				lanes = lanes[1:]
			}
		}
		for _, l := range lanes {
			q.done(l)
		}
		lanes = nil
		q.close()
		for waits[asked]+waits[upkeep] > 0 {
			take()
			q.done(lanes[0])
			lanes = nil
		}
		if us := q.take(); len(us) != 0 || handed != pushed {
			t.Fatalf("%d units of %d were handed out, and %d more", handed, pushed, len(us))
		}
	})
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
