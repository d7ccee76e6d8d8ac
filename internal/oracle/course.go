package oracle

import (
	"reflect"
	"time"
)

// Course is a user's streak at many instants, one after the other. Each answer is that of Streak; but what was decided of earlier periods is kept from one
// to the next as long as no record comes and nothing is ordered, so that all of them take hardly longer than the last.
type Course struct {
	m    *Model
	rule *Streak
	user string

	records int // of the model when the activities were gathered
	view    *view
	decided *walk // up to the open period of the last answer
}

// Course is that of a user. Between its answers records may be added to the model's, and things ordered, but nothing may be taken away.
func (m *Model) Course(s *Streak, user string) *Course { return &Course{m: m, rule: s, user: user} }

// At computes the streak as shown at now, with what was ordered up to then.
func (c *Course) At(now time.Time) View {
	known := c.m.known(c.user, c.rule.ID, now)
	if c.view == nil || c.records != len(c.m.Records) || !reflect.DeepEqual(known, c.view.orders) {
		c.begin(known)
	}
	v := c.view
	v.now = now
	if v.open = v.openAt(); v.open.Before(c.decided.next) { // an earlier instant
		c.begin(known)
		v = c.view
		v.now = now
		v.open = v.openAt()
	}
	c.decided.until(v.open)
	v.walk = c.decided.with(v.open)
	return v.show()
}

func (c *Course) begin(known orders) {
	c.view = c.m.gathered(c.rule, c.user, known)
	c.records = len(c.m.Records)
	c.decided = c.view.begin()
}
