//go:build linux

package live

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"laurel/bench/wire"
)

// source sends activities, in order over one connection: so it knows the score that each of them brings its user.
type source struct {
	http   wire.Exchanger
	key    string
	names  names
	random *rand.Rand
	scores []int64 // by user
	made   int

	updates []update
	batches []batch
}

// update is an activity that brought a user to a score.
type update struct {
	user  int32
	batch int32
	score int64
}

// batch is a request: its activities were committed between the two.
type batch struct{ sent, acked time.Duration }

func newSource(address, key string, users int, n names) (*source, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &source{http: wire.NewHTTP(c), key: key, names: n, random: rand.New(rand.NewPCG(20, 26)), scores: make([]int64, users)}, nil
}

func (s *source) close() { s.http.Close() }

// line appends an activity of a user.
func (s *source) line(b []byte, user int, points int64) []byte {
	s.made++
	s.scores[user] += points
	b = append(b, `{"id":"`...)
	b = append(b, s.names.prefix...)
	b = strconv.AppendInt(b, int64(s.made), 36)
	b = append(b, `","user":"`...)
	b = append(b, s.names.user(user)...)
	b = append(b, `","name":"play","meta":{"points":`...)
	b = strconv.AppendInt(b, points, 10)
	return append(b, "}}\n"...)
}

func (s *source) post(body []byte) error {
	answer, err := s.http.Exchange(wire.Post("/v1/activities", s.key, "application/x-ndjson", body))
	if err != nil {
		return err
	}
	for _, none := range []string{`"duplicates":0,`, `"rejected":0,`, `"ignored":0,`} {
		if !bytes.Contains(answer, []byte(none)) {
			return fmt.Errorf("not all activities were accepted: %.300s", answer)
		}
	}
	return nil
}

// begin brings every user onto the board.
func (s *source) begin(points func(user int) int64) error {
	const most = 1000
	var body []byte
	for user := range s.scores {
		body = s.line(body, user, points(user))
		if (user+1)%most == 0 || user == len(s.scores)-1 {
			if err := s.post(body); err != nil {
				return err
			}
			body = body[:0]
		}
	}
	return nil
}

// smallest is the least time between two requests: a hundred a second, so that what a request holds came at about one instant.
const smallest = 10 * time.Millisecond

// run sends updates a second of the users that who tells, for a time. What is due while a request is on its way goes out with the next.
func (s *source) run(ctx context.Context, start time.Time, rate float64, d time.Duration, who func() int) error {
	const most = 5000
	began := time.Now()
	var body []byte
	for {
		passed := time.Since(began)
		due := min(int(rate*min(passed, d).Seconds())-len(s.updates), most)
		if due <= 0 && passed >= d {
			return nil
		}
		if due > 0 {
			body = body[:0]
			for range due {
				user := who()
				body = s.line(body, user, 1+s.random.Int64N(100))
				s.updates = append(s.updates, update{int32(user), int32(len(s.batches)), s.scores[user]})
			}
			sent := time.Since(start)
			if err := s.post(body); err != nil {
				return err
			}
			s.batches = append(s.batches, batch{sent, time.Since(start)})
		}
		if err := pause(ctx, smallest-(time.Since(began)-passed)); err != nil {
			return err
		}
	}
}
