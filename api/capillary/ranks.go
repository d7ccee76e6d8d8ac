package capillary

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/query"
)

// Request is what a client asks: the user's number, the two headers, the body.
type Request struct {
	User            string
	Scope, OrgsList string
	Wanted          []Wanted
}

// Ranks answers a request of an org's key. query.ErrUserNotFound where no org of the scope has the user; *query.ParamError; errors of the reads.
func (d *Door) Ranks(ctx context.Context, org activity.Org, r *Request) (*Answer, error) {
	s, err := d.scopeOf(org, r.Scope, r.OrgsList)
	if err != nil {
		return nil, err
	}
	answer := &Answer{}
	wanted := r.Wanted
	if len(wanted) > MaxRules {
		answer.warn(tooManyRules)
		wanted = wanted[:MaxRules]
	}
	outside, disabled := s.outside, []int64(nil)
	var asked []question
	for i := range wanted {
		w := &wanted[i]
		switch c := s.of(w); {
		case c == nil && w.OrgID != nil:
			outside = append(outside, *w.OrgID)
		case c == nil: // several orgs, and none is named
			return nil, &query.ParamError{Field: "orgId", Detail: "Name the org of each rule: the scope has several."}
		case !c.Leaderboards:
			disabled = append(disabled, c.Number)
		default:
			asked = append(asked, question{w, c})
		}
	}
	answer.refuse(codeNotInHierarchy, notInHierarchy, outside)
	answer.refuse(codeNotEnabled, orgsNotEnabled, disabled)

	v := &visit{door: d, ctx: ctx, number: r.User, users: map[activity.Org]activity.User{}, answer: answer}
	if err := v.describe(s, asked); err != nil {
		return nil, err
	}
	for _, q := range asked {
		if err := v.rank(q); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// question is a rule that is asked about, of an org in the scope.
type question struct {
	*Wanted
	catalog *catalog.Catalog
}

// visit is one request that is being answered.
type visit struct {
	door   *Door
	ctx    context.Context
	number string
	users  map[activity.Org]activity.User // "" for nobody
	answer *Answer
}

// find is the user of an org who has the number, "" for nobody.
func (v *visit) find(org activity.Org) (activity.User, error) {
	if user, known := v.users[org]; known {
		return user, nil
	}
	user, err := v.door.Reads.Find(v.ctx, org, profile.Number, v.number)
	if errors.Is(err, query.ErrUserNotFound) {
		user, err = "", nil
	}
	if err == nil {
		v.users[org] = user
	}
	return user, err
}

// describe says who the user is: as the key's own org knows it if that is in the scope, else as the first of the others that does.
func (v *visit) describe(s *scope, asked []question) error {
	var orgs []*catalog.Catalog
	if s.orgs[s.own.Number] == s.own {
		orgs = append(orgs, s.own)
	}
	for _, q := range asked {
		orgs = append(orgs, q.catalog)
	}
	for _, number := range slices.Sorted(maps.Keys(s.orgs)) {
		orgs = append(orgs, s.orgs[number])
	}
	for _, c := range orgs {
		user, err := v.find(c.Org)
		if err != nil {
			return err
		}
		if user == "" {
			continue
		}
		person, err := v.door.Reads.Person(v.ctx, c.Org, user)
		if err != nil {
			return err
		}
		of := &person.Profile
		v.answer.Data = &Data{
			LastSyncTime: stamp(v.door.Reads.LastChange(), s.own.Zone), CustomerID: of.Number, UserRanks: []Rank{},
			UserEnrichmentDetails: Enrichment{Mobile: of.Mobile, LastName: of.LastName, FirstName: of.FirstName, Email: of.Email},
		}
		return nil
	}
	return query.ErrUserNotFound
}

// rank answers one question: with a row, with a warning, or, where the user has no value, with nothing.
func (v *visit) rank(q question) error {
	group := groupOf(q.catalog, q.TargetGroupID)
	if group == nil || !group.Active {
		v.answer.warn(groupNotFound, q.TargetGroupID)
		return nil
	}
	if !group.Leaderboard {
		v.answer.warn(groupNotEnabled, q.TargetGroupID)
		return nil
	}
	member, some := memberOf(q.catalog, group, q.TargetRuleID)
	if !some {
		v.answer.warn(ruleNotInGroup, q.TargetRuleID, q.TargetGroupID)
		return nil
	}
	period, number, ok := v.period(q, group)
	if !ok {
		return nil
	}
	user, err := v.find(q.catalog.Org)
	if err != nil {
		return err
	}
	at, err := v.standing(q, member, period, user)
	if err != nil || at.Rank == 0 {
		return err
	}
	enrolled, err := v.door.Reads.Enrolled(v.ctx, q.catalog.Org, group.ID)
	if err != nil {
		return err
	}
	v.answer.Data.UserRanks = append(v.answer.Data.UserRanks, Rank{
		OrgID: q.catalog.Number, TargetGroupID: q.TargetGroupID, TargetRuleID: q.TargetRuleID, PeriodID: number, AchievedValue: at.Score, Rank: at.Rank,
		LastActivityTime: stamp(at.ReachedAt, q.catalog.Zone), TotalUsersInTargetGroup: enrolled,
	})
	return nil
}

// standing reads the user's place in the period. A streak has the current length only, so that it is one of the period that runs. A period that is gone, and one in
// which nobody counted, is not found.
func (v *visit) standing(q question, member catalog.GroupRule, p period, user activity.User) (query.Standing, error) {
	rule, label := "", p.label
	if member.Streak {
		rule, label = q.catalog.Streaks[member.Index].ID+progress.CurrentSuffix, calendar.All.String()
	} else {
		rule = q.catalog.Rules[member.Index].ID
	}
	at, err := v.door.Reads.Standing(v.ctx, q.catalog.Org, rule, label, user)
	gone := errors.Is(err, query.ErrPeriodGone)
	if gone {
		err = nil
	}
	if gone || member.Streak && !p.runs || !p.runs && at.Total == 0 && err == nil {
		v.answer.warn(periodNotFound, *q.PeriodID, q.TargetRuleID)
		return query.Standing{}, nil
	}
	return at, err
}

func groupOf(c *catalog.Catalog, number int64) *catalog.TargetGroup {
	i := slices.IndexFunc(c.TargetGroups, func(g *catalog.TargetGroup) bool { return g.Number == number && number != 0 })
	if i < 0 {
		return nil
	}
	return c.TargetGroups[i]
}

func memberOf(c *catalog.Catalog, g *catalog.TargetGroup, number int64) (catalog.GroupRule, bool) {
	i := slices.IndexFunc(g.Rules, func(m catalog.GroupRule) bool {
		if m.Streak {
			return c.Streaks[m.Index].Number == number
		}
		return c.Rules[m.Index].Number == number
	})
	if i < 0 || number == 0 {
		return catalog.GroupRule{}, false
	}
	return g.Rules[i], true
}

// period is one of a target group's.
type period struct {
	label string
	runs  bool // it is the one that runs
}

// period finds the period that is asked for and its number; ok is false where there is none, of which the client is warned.
func (v *visit) period(q question, g *catalog.TargetGroup) (p period, number int64, ok bool) {
	cal, first := q.catalog.Calendar(), int64(0)
	if g.Cycle.Unit == calendar.Listed {
		first = 1
	}
	now := v.door.Reads.Now()
	running, open := cal.OrdinalAt(g.Cycle, now)
	if q.PeriodID == nil {
		if !open {
			v.answer.warn(noActivePeriod, q.TargetRuleID)
			return period{}, 0, false
		}
		return period{cal.Label(g.Cycle, running), true}, int64(running) + first, true
	}
	number = *q.PeriodID
	last := int64(running)
	if !open { // between two of a list: those that have begun
		last = -1
		for _, w := range g.Cycle.Windows {
			if w.Start <= now {
				last++
			}
		}
	}
	if number < first || number-first > last {
		v.answer.warn(periodNotFound, number, q.TargetRuleID)
		return period{}, 0, false
	}
	o := calendar.Ordinal(number - first)
	return period{cal.Label(g.Cycle, o), open && o == running}, number, true
}

// stamp writes an instant as that shape does: 2024-06-24T17:37:00.000IST, with the abbreviation of the zone then; a zone without letters has its offset.
func stamp(i calendar.Instant, zone *time.Location) string {
	t := i.Time().In(zone)
	const layout = "2006-01-02T15:04:05.000"
	if name, _ := t.Zone(); name != "" && name[0] != '+' && name[0] != '-' {
		return t.Format(layout) + name
	}
	return t.Format(layout + "-07:00")
}

// ParseUser checks the user of a path: a number. *query.ParamError.
func ParseUser(text string) (string, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 1 {
		return "", &query.ParamError{Field: "userId", Detail: "The user id is a number."}
	}
	return text, nil
}
