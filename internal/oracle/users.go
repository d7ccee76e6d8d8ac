package oracle

import (
	"maps"
	"slices"
)

// Delete forgets everything about a user.
func (m *Model) Delete(user string) {
	m.Records = slices.DeleteFunc(m.Records, func(r Record) bool { return r.User == user })
	delete(m.Zones, user)
	delete(m.Hidden, user)
	m.forget(user)
}

// forget drops what was ordered for a user.
func (m *Model) forget(user string) {
	delete(m.Pauses, user)
	maps.DeleteFunc(m.commands, func(c commanded, _ *Commands) bool { return c.user == user })
}

// Merge makes all records of one user another one's. Of two records of one id the one received first stays, of two received at once the other one's.
func (m *Model) Merge(from, into string) {
	all := slices.Clone(m.Records)
	m.Records = slices.DeleteFunc(m.Records, func(r Record) bool {
		return slices.ContainsFunc(all, func(other Record) bool {
			switch {
			case other.ID != r.ID:
				return false
			case r.User == from && other.User == into:
				return !r.Received.Before(other.Received)
			case r.User == into && other.User == from:
				return other.Received.Before(r.Received)
			}
			return false
		})
	})
	for i := range m.Records {
		if m.Records[i].User == from {
			m.Records[i].User = into
		}
	}
	delete(m.Zones, from)
	delete(m.Hidden, from)
	m.forget(from)
}
