package store

import (
	"context"
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// boardsPage is how many keys the server looks at for a page of boards.
const boardsPage = 1000

// Boards walks the boards that an org has in a partition, a page at a time, as Users does its users: cursor 0 begins, a next of 0 ends. It walks all keys
// of the server, so it is for background work.
func (s *Store) Boards(ctx context.Context, p Partition, org activity.Org, cursor uint64) (boards []feed.Board, next uint64, err error) {
	prefix := string(BoardKey(p, feed.Board{Org: org}))
	prefix = prefix[:len(prefix)-1] // without the colon between rule and label
	keys, next, err := s.driver.scan(ctx, p, cursor, prefix+"*", boardsPage)
	if err != nil {
		return nil, 0, unavailable("walk boards", err)
	}
	for _, k := range keys {
		rule, label, _ := strings.Cut(strings.TrimPrefix(k, prefix), ":") // neither holds a colon
		boards = append(boards, feed.Board{Org: org, Rule: rule, Label: label})
	}
	return boards, next, nil
}

// BoardSize is how many rows a board has in a partition.
func (s *Store) BoardSize(ctx context.Context, p Partition, b feed.Board) (int, error) {
	n, err := s.client.ZCard(ctx, string(BoardKey(p, b))).Result()
	if err != nil {
		return 0, unavailable("count board", err)
	}
	return int(n), nil
}

// BoardsOf lists the boards of a rule that have rows in a partition. It walks all keys of the server: it is for rules that nobody defines any more,
// whose periods cannot be named.
func (s *Store) BoardsOf(ctx context.Context, p Partition, org activity.Org, rule string) ([]feed.Board, error) {
	var found []feed.Board
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		boards, next, err := s.Boards(ctx, p, org, cursor)
		if err != nil {
			return nil, err
		}
		for _, b := range boards {
			if b.Rule == rule && !slices.Contains(found, b) { // a scan may give a key twice
				found = append(found, b)
			}
		}
		cursor = next
	}
	return found, nil
}
