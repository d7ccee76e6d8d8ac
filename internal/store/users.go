package store

import (
	"context"
	"strings"

	"laurel/internal/activity"
)

// usersPage is how many keys the server looks at for a page of users.
const usersPage = 1000

// Users walks the users of an org in a partition, a page at a time: cursor 0 begins, a next of 0 ends. A user who is there throughout comes at least
// once, maybe more often; one who comes meanwhile may be missed. It walks all keys of the server, so it is for background work.
func (s *Store) Users(ctx context.Context, p Partition, org activity.Org, cursor uint64) (users []activity.User, next uint64, err error) {
	prefix := string(StateKey(p, org, ""))
	// Neither partitions nor orgs hold a character that means anything in a pattern.
	keys, next, err := s.driver.scan(ctx, p, cursor, prefix+"*", usersPage)
	if err != nil {
		return nil, 0, unavailable("walk users", err)
	}
	for _, k := range keys {
		users = append(users, activity.User(strings.TrimPrefix(k, prefix)))
	}
	return users, next, nil
}
