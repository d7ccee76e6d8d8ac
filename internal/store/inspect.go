package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// What tools need that look at everything: verify, export. The server itself never walks.

// KeyKind says what a key holds.
type KeyKind uint8

// The kinds of keys that belong to an org, and all others.
const (
	OtherKey KeyKind = iota
	StateOf
	ColdOf
	ProfileOf
	LogOf
	BoardOf
	ImportOf
)

// Named is a key taken apart.
type Named struct {
	Partition Partition
	Kind      KeyKind
	Org       activity.Org
	User      activity.User // of StateOf, ColdOf, ProfileOf, LogOf
	Board     feed.Board    // of BoardOf
	Import    string        // of ImportOf
}

var keyKinds = map[string]KeyKind{"u": StateOf, "c": ColdOf, "p": ProfileOf, "l": LogOf, "b": BoardOf, "i": ImportOf}

// parseKey is the inverse of the functions that make keys; a key that none of them made is an OtherKey.
func parseKey(key string) Named {
	n := Named{}
	tag, rest, _ := strings.Cut(strings.TrimPrefix(key, "{"), "}:")
	p, err := strconv.Atoi(tag)
	kind, rest, ok := strings.Cut(rest, ":")
	org, name, named := strings.Cut(rest, ":")
	if err != nil || !ok || !named || name == "" || keyKinds[kind] == OtherKey {
		return n
	}
	n = Named{Partition: Partition(p), Kind: keyKinds[kind], Org: activity.Org(org)}
	switch n.Kind {
	case BoardOf:
		rule, label, _ := strings.Cut(name, ":")
		n.Board = feed.Board{Org: n.Org, Rule: rule, Label: label}
	case ImportOf:
		n.Import = name
	default:
		n.User = activity.User(name)
	}
	return n
}

// Walk gives every key of the store that belongs to an org, in no order. One that is there throughout comes at least once, maybe more often; one that
// comes or goes meanwhile may be missed. An error of yield ends it and is returned as it is.
func (s *Store) Walk(ctx context.Context, yield func(Named) error) error {
	return s.driver.walk(ctx, s.partitions, "{*", usersPage, func(keys []string) error {
		for _, k := range keys {
			if n := parseKey(k); n.Kind != OtherKey {
				if err := yield(n); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Members gives the raw members of a sorted set (a board, the deadlines), as LoadBoard does.
func (s *Store) Members(ctx context.Context, k Key, yield func(member string, score float64) error) error {
	return s.driver.board(ctx, k, true, yield)
}

// Score is a member's score. Some is false for one that is not in the set.
type Score struct {
	Value float64
	Some  bool
}

// Scores gives the scores of members of a sorted set, in their order.
func (s *Store) Scores(ctx context.Context, k Key, members []string) ([]Score, error) {
	scores := make([]Score, 0, len(members))
	for len(members) > 0 {
		page := members[:min(len(members), readPage)]
		members = members[len(page):]
		words := make([]any, 0, len(page)+2)
		words = append(words, "ZMSCORE", string(k))
		for _, m := range page {
			words = append(words, m)
		}
		values, err := s.client.Do(ctx, words...).Slice()
		if err != nil {
			return nil, unavailable("read scores of "+string(k), err)
		}
		for _, v := range values {
			score, err := readScore(v)
			if err != nil {
				return nil, fmt.Errorf("scores of %s: %w", k, err)
			}
			scores = append(scores, score)
		}
	}
	return scores, nil
}

func readScore(value any) (Score, error) {
	switch v := value.(type) {
	case nil:
		return Score{}, nil
	case float64:
		return Score{v, true}, nil
	case string:
		f, err := parseScore(v)
		return Score{f, true}, err
	}
	return Score{}, fmt.Errorf("%v is not a score", value)
}

// Texts gives plain strings, and documents as they are stored, in the order of keys, which are of one partition; "" for one that does not exist.
func (s *Store) Texts(ctx context.Context, keys []Key) ([]string, error) {
	texts := make([]string, 0, len(keys))
	for len(keys) > 0 {
		page := keys[:min(len(keys), readPage)]
		keys = keys[len(page):]
		values, err := s.strings(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			text, _ := v.(string)
			texts = append(texts, text)
		}
	}
	return texts, nil
}
