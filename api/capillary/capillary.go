// Package capillary answers as Capillary's leaderboards do: the ranks of one user in the rules of target groups, where users, orgs, groups, rules and periods are
// numbers. A request is a GET with a JSON body, or the same by POST, with the key as Basic (the key's id and the key) or Bearer. docs/DOORS.md says where each
// field comes from, and what was chosen where that shape says nothing.
//
// What is wrong with one rule is a warning, and what is wrong with an org an error; either way everything else is answered.
package capillary

import (
	"context"
	"net/http"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/query"
)

// Paths are those of the one route.
func Paths() []string {
	return []string{"/api_gateway/intouch-api-v3" + path, path}
}

const path = "/v3.1/leaderboards/user/{userId}"

// ScopeHeader says of which orgs data is wanted: SELF, OTHER or ALL. OrgsHeader lists their numbers.
const (
	ScopeHeader = "DATA-SCOPE"
	OrgsHeader  = "DATA-SCOPE-ORG"
)

// MaxRules is how many rules of a request are answered.
const MaxRules = 25

// Credentials finds the key of a request, "" where there is none, and of Basic the id that the key must have.
func Credentials(r *http.Request) (token, keyID string) {
	if id, secret, ok := r.BasicAuth(); ok {
		if id == "" {
			return "", ""
		}
		return secret, id
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	return token, ""
}

// Reads is what the door stands on (*query.Reader).
type Reads interface {
	Find(ctx context.Context, org activity.Org, field, text string) (activity.User, error)
	Person(ctx context.Context, org activity.Org, user activity.User) (*query.Person, error)
	Standing(ctx context.Context, org activity.Org, rule, period string, user activity.User) (query.Standing, error)
	Enrolled(ctx context.Context, org activity.Org, group string) (int, error)
	LastChange() calendar.Instant
	Now() calendar.Instant
}

// Orgs are the catalogs.
type Orgs interface {
	// Catalog is an org's, nil if there is none.
	Catalog(org activity.Org) *catalog.Catalog
	// Below are the org and those that stand below it.
	Below(org activity.Org) []activity.Org
}

// Door answers for the users of every org.
type Door struct {
	Reads Reads
	Orgs  Orgs
}

// Wanted is one rule of a request. OrgID and PeriodID may be left out: the key's org, and the period that runs.
type Wanted struct {
	OrgID         *int64 `json:"orgId,omitempty"`
	TargetGroupID int64  `json:"targetGroupId"`
	TargetRuleID  int64  `json:"targetRuleId"`
	PeriodID      *int64 `json:"periodId,omitempty"`
}

// Answer is the body of every answer.
type Answer struct {
	Data     *Data  `json:"data,omitempty"`
	Errors   []Note `json:"errors" nullable:"false"`
	Warnings []Note `json:"warnings" nullable:"false"`
}

// Data is what is known of the user.
type Data struct {
	LastSyncTime          string     `json:"lastSyncTime" doc:"When the last change was applied, in the org's zone"`
	CustomerID            int64      `json:"customerId"`
	UserEnrichmentDetails Enrichment `json:"userEnrichmentDetails"`
	UserRanks             []Rank     `json:"userRanks" nullable:"false"`
}

// Enrichment is of the user's profile, "" where it says nothing.
type Enrichment struct {
	Mobile    string `json:"mobile"`
	LastName  string `json:"last_name"`
	FirstName string `json:"first_name"`
	Email     string `json:"email"`
}

// Rank is the user's place in one rule.
type Rank struct {
	OrgID                   int64       `json:"orgId"`
	TargetGroupID           int64       `json:"targetGroupId"`
	TargetRuleID            int64       `json:"targetRuleId"`
	PeriodID                int64       `json:"periodId"`
	AchievedValue           query.Score `json:"achievedValue"`
	Rank                    int         `json:"rank"`
	LastActivityTime        string      `json:"lastActivityTime" doc:"When the value was reached, in the org's zone"`
	TotalUsersInTargetGroup int         `json:"totalUsersInTargetGroup" doc:"Enrolled users"`
}

// Refuse is how the door says no to what it could not answer at all.
func Refuse(status int, _, text string) (int, any) {
	return status, Answer{Errors: []Note{{Message: text}}}
}
