// Package query answers every read: it joins the catalog (which rule, which cycle), the calendar (which period), the ranking
// index (which rows) and the users' states (which streaks) into the objects that clients see. REST, WebSocket and SSE all read through it, so
// they cannot disagree.
package query

import "errors"

// What a read may answer beside its object. The api package maps each to a status, a code and a public text.
var (
	ErrRuleNotFound  = errors.New("no such rule")
	ErrBadPeriod     = errors.New("no such period")
	ErrPeriodGone    = errors.New("period is past its retention")
	ErrNotRanked     = errors.New("user has no value on this board")
	ErrUserNotFound  = errors.New("no such user")
	ErrUserMerged    = errors.New("user was merged into another one")
	ErrBadView       = errors.New("malformed view")
	ErrBadParam      = errors.New("parameter is malformed or out of its range")
	ErrBadCursor     = errors.New("malformed cursor")
	ErrSealed        = errors.New("instant lies before the user's sealed history")
	ErrGroupNotFound = errors.New("no such target group")
	ErrBehind        = errors.New("this node has not reached the revision yet")
)
