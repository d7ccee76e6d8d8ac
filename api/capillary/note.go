package capillary

import (
	"fmt"
	"slices"
)

// Note is a warning or an error. Code is null for what has none; Status is false always.
type Note struct {
	Code    *int   `json:"code" nullable:"true"`
	Message string `json:"message"`
	Status  bool   `json:"status"`
	// Orgs are those that an error is about.
	Orgs []int64 `json:"orgIds,omitempty" doc:"The orgs that the message speaks of"`
}

// The codes of errors.
const (
	codeNotInHierarchy = 51512
	codeNotEnabled     = 310133
)

// The texts of that shape, letter for letter.
const (
	tooManyRules    = "Maximum number of target rules allowed is 25, only first 25 target rules will be considered"
	groupNotFound   = "Target group id %d not found or deactivated"
	groupNotEnabled = "Leaderboard is not enabled for the target group id %d"
	ruleNotInGroup  = "Target rule id %d does not belong to target group id %d"
	periodNotFound  = "Target period id %d not found for the target id %d"
	noActivePeriod  = "No active target period found for the target id %d"
	notInHierarchy  = "The following orgs are not part of the hierarchy"
	orgsNotEnabled  = "Leaderboards are not enabled for the following orgs"
)

// warn adds a warning once.
func (a *Answer) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.ContainsFunc(a.Warnings, func(n Note) bool { return n.Message == text }) {
		a.Warnings = append(a.Warnings, Note{Message: text})
	}
}

// refuse adds an error about orgs, if there are any.
func (a *Answer) refuse(code int, text string, orgs []int64) {
	if len(orgs) > 0 {
		slices.Sort(orgs)
		a.Errors = append(a.Errors, Note{Code: &code, Message: text, Orgs: slices.Compact(orgs)})
	}
}
