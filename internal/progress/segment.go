package progress

import (
	"regexp"
	"slices"
	"strings"

	"laurel/internal/activity"
)

// A rule that is segmented has, beside its boards of everyone, boards for each value ("segment") of an attribute of users. Which one an activity
// counts on is what was recorded on it when it came. The tallies of a segment stand in a RuleState of their own, whose ID is the board's rule:
// <rule>@<segment>. So a user who moves has tallies in several segments, and each is a function of the activities that came while the user was there.

const segmentMark = "@" // in no id of a rule and in no segment

var segmentForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ValidSegment says whether a value of an attribute gets boards: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.
func ValidSegment(value string) bool { return segmentForm.MatchString(value) }

// SegmentBoard is what stands for the rule in the name of a segment's board; of everyone's, for segment "".
func SegmentBoard(rule, segment string) string {
	if segment == "" {
		return rule
	}
	return rule + segmentMark + segment
}

// CutSegment is the inverse of SegmentBoard.
func CutSegment(board string) (rule, segment string) {
	rule, segment, _ = strings.Cut(board, segmentMark)
	return rule, segment
}

// segmentBoard is the board of the segment that an activity counts on, "" for none.
func (r *rulePlan) segmentBoard(act *activity.Activity) string {
	if r.SegmentBy == "" {
		return ""
	}
	if s := act.Attribute(r.SegmentBy); s != "" {
		return SegmentBoard(r.ID, s)
	}
	return ""
}

// ruleOf is the rule that defines a board, nil if none does.
func (p *Plan) ruleOf(board string) *rulePlan {
	id, segment := CutSegment(board)
	for i := range p.rules {
		if r := &p.rules[i]; r.ID == id && (segment == "" || r.SegmentBy != "") {
			return r
		}
	}
	return nil
}

// boards are the rule's boards that any of the states has tallies for, everyone's first.
func (r *rulePlan) boards(states ...*State) []string {
	list := []string{r.ID}
	if r.SegmentBy == "" {
		return list
	}
	for _, s := range states {
		for i := range s.Rules {
			id := s.Rules[i].ID
			if rule, segment := CutSegment(id); rule == r.ID && segment != "" && !slices.Contains(list, id) {
				list = append(list, id)
			}
		}
	}
	return list
}

// Attributes are the names of the attributes that rules segment by, in order.
func (p *Plan) Attributes() []string { return p.attributes }

func segmentedBy(rules []rulePlan) []string {
	var names []string
	for i := range rules {
		if by := rules[i].SegmentBy; by != "" {
			names = append(names, by)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
