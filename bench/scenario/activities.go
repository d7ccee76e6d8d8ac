package scenario

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Catalog gives each activity exactly three boards, and a streak that a user extends once a day.
const Catalog = `orgs:
  - id: bench
    timezone: UTC
    behaviours:
      - {name: play, meta: {points: integer}}
    rules:
      - id: points
        when: {name: play}
        value: {sum: meta.points}
        cycles: [week, month, all]
    streaks:
      - id: daily
        when: {name: play}
        unit: day
        target: 1
`

// boardsPath is where the boards of the catalog's rule are; cycles are their periods.
const boardsPath = "/v1/leaderboards/points/"

func cycles() []string { return []string{"week", "month", "all"} }

// activities writes NDJSON of activities with ids that are never used twice.
type activities struct {
	users  int
	made   int
	random *rand.Rand
}

// newActivities always starts from the same seed: two runs send the same.
func newActivities(users int) *activities {
	return &activities{users: users, random: rand.New(rand.NewPCG(20, 26))}
}

func userID(n int) string { return fmt.Sprintf("user-%07d", n) }

const maxPoints = 100

func (a *activities) points() int { return 1 + a.random.IntN(maxPoints) }

// line appends an activity of a user. It has no "at": it happens when it arrives, as most do.
func (a *activities) line(b []byte, user int) []byte {
	a.made++
	b = append(b, `{"id":"a`...)
	b = strconv.AppendInt(b, int64(a.made), 36)
	b = append(b, `","user":"`...)
	b = append(b, userID(user)...)
	b = append(b, `","name":"play","meta":{"points":`...)
	b = strconv.AppendInt(b, int64(a.points()), 10)
	return append(b, "}}\n"...)
}

// everyone writes one activity for each user, in random order, in bodies of batch lines; the last one may be shorter.
func (a *activities) everyone(batch int) [][]byte {
	var bodies [][]byte
	order := a.random.Perm(a.users)
	for len(order) > 0 {
		n := min(batch, len(order))
		var b []byte
		for _, user := range order[:n] {
			b = a.line(b, user)
		}
		bodies, order = append(bodies, b), order[n:]
	}
	return bodies
}

// anyone writes n bodies of batch activities of random users.
func (a *activities) anyone(n, batch int) [][]byte {
	bodies := make([][]byte, n)
	for i := range bodies {
		for range batch {
			bodies[i] = a.line(bodies[i], a.random.IntN(a.users))
		}
	}
	return bodies
}
