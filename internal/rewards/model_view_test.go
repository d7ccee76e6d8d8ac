package rewards_test

import (
	"math"
	"math/big"
	"reflect"
	"slices"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// shown is a View without its memory.
type shown struct {
	Wallets      []rewards.Wallet
	Levels       []rewards.Level
	Achievements []rewards.Achievement
	Criteria     [][]rewards.Part
	Missions     []rewards.Mission
	Needs        [][]rewards.Part
	Completions  []rewards.Completion
}

func show(v *rewards.View) shown {
	s := shown{v.Wallets, v.Levels, v.Achievements, nil, v.Missions, nil, v.Completions}
	for i := range v.Achievements {
		s.Criteria = append(s.Criteria, v.Criteria(i))
	}
	for i := range v.Missions {
		s.Needs = append(s.Needs, v.Needs(i))
	}
	return s
}

// diff says how two differ; a comparison of views that are alike, as nearly all are, takes too long by cmp.
func (s shown) diff(o shown) string {
	if alike(reflect.ValueOf(s), reflect.ValueOf(o)) {
		return ""
	}
	unexported := cmpopts.IgnoreUnexported(rewards.Wallet{}, rewards.Achievement{}, rewards.Mission{})
	return gocmp.Diff(s, o, unexported, cmpopts.EquateEmpty())
}

// alike compares exported fields; an empty list is as none.
func alike(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.Struct:
		for i := range x.NumField() {
			if x.Type().Field(i).IsExported() && !alike(x.Field(i), y.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !alike(x.Index(i), y.Index(i)) {
				return false
			}
		}
		return true
	}
	return x.Equal(y)
}

func (m *model) show() shown {
	var s shown
	for i := range m.earning.Wallets {
		w, _ := m.wallet(i)
		s.Wallets = append(s.Wallets, w)
	}
	for i, l := range m.earning.Levels {
		x := rewards.Level{Index: m.reached(i)}
		if x.Index < len(l.Steps) {
			n, _ := m.earned(l.Wallet)
			x.Missing = l.Steps[x.Index].At - n
		}
		s.Levels = append(s.Levels, x)
	}
	for i := range m.earning.Achievements {
		a, parts := m.achievement(i)
		s.Achievements, s.Criteria = append(s.Achievements, a), append(s.Criteria, parts)
	}
	for i, x := range m.earning.Missions {
		var parts []rewards.Part
		for _, n := range x.Needs {
			p, _, _ := m.need(n)
			parts = append(parts, p)
		}
		s.Missions, s.Needs = append(s.Missions, m.mission(i)), append(s.Needs, parts)
	}
	for _, d := range m.earning.Order {
		if d.Kind == "achievements" || d.Kind == "missions" {
			s.Completions = append(s.Completions, m.all(d)...)
		}
	}
	return s
}

func (m *model) achievement(i int) (a rewards.Achievement, parts []rewards.Part) {
	def, done := m.earning.Achievements[i], m.all(catalog.Derived{Kind: "achievements", Index: i})
	a.Times = len(done)
	if a.Times > 0 {
		a.FirstAt, a.LastAt = done[0].At, done[len(done)-1].At
	}
	a.Begun, a.First = m.begun(i)
	if def.Rank != nil {
		if a.Max = 1; a.Times > 0 {
			a.Progress, a.Met, a.CompletedAt = 1, true, a.LastAt
		}
		return a, nil
	}
	now := periodOf(def.Per.Unit, m.civil(m.now))
	met := 0
	for k := range def.Criteria {
		p := m.part(i, k, now)
		if parts = append(parts, p); p.Met {
			met++
		}
	}
	if a.Part = nearest(parts); def.All && len(parts) > 1 {
		a.Part = rewards.Part{Progress: int64(met), Max: int64(len(parts))}
	}
	a.Met = false
	for _, c := range done {
		if c.Period == now {
			a.Met, a.Progress, a.CompletedAt = true, a.Max, c.At
		}
	}
	return a, parts
}

func (m *model) part(i, k int, now calendar.Ordinal) rewards.Part {
	c := m.earning.Achievements[i].Criteria[k]
	_, met := m.criterion(i, k, now)
	p := rewards.Part{Max: c.AtLeast, Met: met}
	switch {
	case met:
		p.Progress = p.Max
	case c.Kind == catalog.OfActivities:
		p.Progress, _, _ = m.folded(i, k, now)
	case c.Kind != catalog.OfAchievement:
		p.Progress = m.value(c)
	}
	p.Progress = min(max(p.Progress, 0), p.Max)
	return p
}

func nearest(parts []rewards.Part) rewards.Part {
	return slices.MaxFunc(parts, func(x, y rewards.Part) int { return big.NewRat(x.Progress, x.Max).Cmp(big.NewRat(y.Progress, y.Max)) })
}

// begun says whether there was any progress in an achievement, and when the first.
func (m *model) begun(i int) (bool, calendar.Instant) {
	var instants []calendar.Instant
	def := m.earning.Achievements[i]
	for _, x := range m.items {
		if x.kind == anActivity && x.of == i {
			instants = append(instants, x.at)
		}
	}
	for _, c := range def.Criteria {
		wallet := c.Of
		switch c.Kind {
		case catalog.OfStreak:
			if m.longest(c.Of) > 0 {
				instants = append(instants, m.now)
			}
			continue
		case catalog.OfAchievement:
			if ok, at := m.begun(c.Of); ok {
				instants = append(instants, at)
			}
			continue
		case catalog.OfActivities:
			continue
		case catalog.OfLevel:
			wallet = m.earning.Levels[c.Of].Wallet
		}
		if n, at := m.earned(wallet); n > 0 {
			instants = append(instants, at)
		}
	}
	if done := m.all(catalog.Derived{Kind: "achievements", Index: i}); len(done) > 0 && (def.Rank != nil || def.Per.Unit == calendar.All) {
		instants = append(instants, done[0].At)
	}
	if len(instants) == 0 {
		return false, 0
	}
	return true, slices.Min(instants)
}

// need says how near a need is, since when it holds, and when it began; instants that there are none of are left out.
func (m *model) need(n catalog.Need) (p rewards.Part, held, began []calendar.Instant) {
	if n.Kind == catalog.OfLevel {
		l := m.earning.Levels[n.Of]
		earned, first := m.earned(l.Wallet)
		p = rewards.Part{Max: l.Steps[n.Step-1].At, Met: m.reached(n.Of) >= n.Step}
		p.Progress = min(earned, p.Max)
		if earned > 0 {
			began = append(began, first)
		}
		return p, nil, began
	}
	a, _ := m.achievement(n.Of)
	p = a.Part
	if a.Times > 0 {
		p = rewards.Part{Progress: a.Max, Max: a.Max, Met: true}
		held = append(held, a.FirstAt)
	}
	if a.Begun {
		began = append(began, a.First)
	}
	return p, held, began
}

// restsOnStreak says whether no instant is known at which an achievement began.
func (m *model) restsOnStreak(i int) bool {
	return slices.ContainsFunc(m.earning.Achievements[i].Criteria, func(c catalog.Criterion) bool {
		return c.Kind == catalog.OfStreak || c.Kind == catalog.OfAchievement && m.restsOnStreak(c.Of)
	})
}

func (m *model) mission(i int) (v rewards.Mission) {
	def, of := m.earning.Missions[i], catalog.Derived{Kind: "missions", Index: i}
	var began []calendar.Instant
	all, since := true, calendar.Instant(0)
	levels, streak := false, false
	for _, n := range def.Needs {
		p, held, b := m.need(n)
		all = all && p.Met
		since = slices.Max(append(held, since))
		began = append(began, b...)
		levels = levels || n.Kind == catalog.OfLevel
		streak = streak || n.Kind == catalog.OfAchievement && m.restsOnStreak(n.Of)
	}
	switch {
	case !all:
		since = math.MaxInt64
	case levels:
		since = m.since(rewards.Note{Of: of})
	}
	var starts []calendar.Instant
	switch noted := m.noted[rewards.Note{Of: of, Start: true}]; {
	case def.Required:
		for _, x := range m.items {
			if x.kind == aStart && x.of == i {
				starts = append(starts, x.at)
			}
		}
	case len(began) == 0 && !all:
	case streak && noted != 0:
		starts = append(starts, noted)
	default:
		if streak {
			began = []calendar.Instant{m.now}
		}
		if all {
			began = append(began, since)
		}
		starts = append(starts, slices.Min(began))
	}
	m.attempt(def, &v, starts, since)
	v.Startable = def.Required && v.Deadline == 0 && v.Status != rewards.Completed && v.Status != rewards.Started && v.Attempts < def.Attempts
	return v
}

// attempt takes the first of the starts, and those after its end if it fails. held is since when all needs hold.
func (m *model) attempt(def *catalog.Mission, v *rewards.Mission, starts []calendar.Instant, held calendar.Instant) {
	if len(starts) == 0 || v.Attempts == def.Attempts {
		return
	}
	v.Attempts++
	v.StartedAt, v.Status, v.Deadline = starts[0], rewards.Started, 0
	done := max(starts[0], held)
	if def.Within == 0 {
		if done < math.MaxInt64 {
			v.Status, v.CompletedAt = rewards.Completed, done
		}
		return
	}
	end := starts[0] + calendar.Instant(def.Within/1e6)
	switch {
	case done < end:
		v.Status, v.CompletedAt = rewards.Completed, done
		return
	case m.now < end:
		v.Deadline = end
	default:
		v.Status, v.FailedAt = rewards.Failed, end
		v.Failures++
	}
	m.attempt(def, v, slices.DeleteFunc(slices.Clone(starts), func(s calendar.Instant) bool { return s < end }), held)
}
