package profile

import (
	"golang.org/x/text/cases"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Directory is the list of an org's users: a board of all of them, merged ones aside, ascending by when they came (Created). Nodes keep it in memory and follow it
// as they do leaderboards, and only while somebody lists users.
func Directory(org activity.Org) feed.Board {
	return feed.Board{Org: org, Rule: feed.Everyone, Label: "all"}
}

// Created is when the user of a hash came, in ms: the value of its row in the Directory. 0 for one who was there before that was noted, and for what is no number.
func Created(hash map[string]string) int64 {
	r, err := Parse(map[string]string{CreatedAt: hash[CreatedAt]})
	if err != nil {
		return 0
	}
	return int64(r.CreatedAt)
}

// Fold is a text without regard to case.
func Fold(s string) string { return cases.Fold().String(s) }
