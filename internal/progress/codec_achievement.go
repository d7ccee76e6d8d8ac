package progress

// Flags of an encoded achievement: what it has beside its id.
const (
	achievementNoted uint64 = 1 << iota
	achievementBegun
	achievementOnce // summed up: completed once, in period 0, which is that of those that do not recur
	achievementMany // summed up otherwise
	achievementOpen // has periods
	// achievementLike: of one period with one condition, which is that of an achievement before it but for its target: many have others of the same. It is met if the achievement
	// was completed, at that time.
	achievementLike
)

// likeWindow is how far back an achievement is looked for that has the same condition.
const likeWindow = 32

func (e *encoder) achievement(all []AchievementState, i int) {
	a := &all[i]
	once := a.completedOnce()
	like := a.like(all[max(0, i-likeWindow):i])
	flags := flagsOf(a.Noted != 0, a.Begun, once, !once && a.Times > 0, len(a.Periods) > 0, like > 0)
	e.string(a.ID)
	e.print(a.Print)
	e.uint(flags)
	if flags&achievementNoted != 0 {
		e.instant(a.Noted)
	}
	if flags&achievementBegun != 0 {
		e.instant(a.First)
	}
	if once {
		e.instant(a.FirstAt)
	}
	if flags&achievementMany != 0 {
		e.uint(uint64(a.Times))
		e.period(a.Last)
		e.instant(a.FirstAt)
		e.instant(a.LastAt)
	}
	switch {
	case like > 0:
		e.uint(uint64(like))
		e.period(a.Periods[0])
	case len(a.Periods) > 0:
		e.criteria(a)
	}
}

func (e *encoder) criteria(a *AchievementState) {
	n := len(a.Conditions) / len(a.Periods)
	e.uint(uint64(len(a.Periods)))
	e.uint(uint64(n))
	for i, o := range a.Periods {
		e.period(o)
		for k := range n {
			e.condition(&a.Conditions[i*n+k])
		}
	}
}

func (a *AchievementState) completedOnce() bool {
	return a.Times == 1 && a.Last == 0 && a.FirstAt == a.LastAt
}

// like is how far back among others one is that has the same condition, 0 for none.
func (a *AchievementState) like(others []AchievementState) int {
	if !a.single() {
		return 0
	}
	c := &a.Conditions[0]
	if c.ID != "" || len(c.Set) > 0 || c.Met != a.completedOnce() || c.Met && c.MetAt != a.FirstAt {
		return 0
	}
	for i := len(others) - 1; i >= 0; i-- {
		if others[i].single() && c.alike(&others[i].Conditions[0]) {
			return len(others) - i
		}
	}
	return 0
}

// single says whether there is one condition of one period.
func (a *AchievementState) single() bool { return len(a.Periods) == 1 && len(a.Conditions) == 1 }

// alike says whether two conditions differ in nothing but when they were met; c has neither id nor set.
func (c *Condition) alike(o *Condition) bool {
	return o.ID == "" && len(o.Set) == 0 && c.Some == o.Some && c.Nonzero == o.Nonzero && c.Value == o.Value && c.Reached == o.Reached && c.LastAt == o.LastAt &&
		c.Negative == o.Negative
}

func (d *decoder) achievement(all []AchievementState, i int) {
	a := &all[i]
	a.ID, a.Print = d.string(), d.print()
	flags := d.uint()
	if flags&achievementNoted != 0 {
		a.Noted = d.instant()
	}
	if flags&achievementBegun != 0 {
		a.Begun, a.First = true, d.instant()
	}
	if flags&achievementOnce != 0 {
		a.Times, a.FirstAt = 1, d.instant()
		a.LastAt = a.FirstAt
	}
	if flags&achievementMany != 0 {
		a.Times, a.Last, a.FirstAt, a.LastAt = int(d.uint()), d.period(), d.instant(), d.instant()
	}
	switch {
	case flags&achievementLike != 0:
		d.like(all, i)
	case flags&achievementOpen != 0:
		d.conditions(a, d.count())
	}
}

func (d *decoder) like(all []AchievementState, i int) {
	back := d.uint()
	if back == 0 || back > uint64(i) || !all[uint64(i)-back].single() {
		d.bad, d.s = true, ""
		return
	}
	a, like := &all[i], &all[uint64(i)-back]
	a.Periods, a.Conditions = chunk(&d.periods, 1), chunk(&d.criteria, 1)
	a.Periods[0], a.Conditions[0] = d.period(), like.Conditions[0]
	c := &a.Conditions[0]
	if c.Met, c.MetAt = a.completedOnce(), 0; c.Met {
		c.MetAt = a.FirstAt
	}
}

// conditions are those of some periods, at least one.
func (d *decoder) conditions(a *AchievementState, periods int) {
	n := d.count()
	if periods == 0 || n == 0 || periods*n > len(d.s) {
		d.bad, d.s = true, ""
		return
	}
	a.Periods, a.Conditions = chunk(&d.periods, periods), chunk(&d.criteria, periods*n)
	for i := range a.Periods {
		a.Periods[i] = d.period()
		for k := range n {
			d.condition(&a.Conditions[i*n+k])
		}
	}
}

// achievement6 is that of formats up to 6.
func (d *decoder) achievement6(a *AchievementState) {
	a.ID, a.Print = d.string(), d.print()
	flags := d.uint()
	if flags&keptNoted != 0 {
		a.Noted = d.instant()
	}
	if flags&keptBegun != 0 {
		a.Begun, a.First = true, d.instant()
	}
	if flags&keptDone != 0 {
		a.Times, a.Last, a.FirstAt, a.LastAt = int(d.uint()), d.period(), d.instant(), d.instant()
	}
	if periods := d.count(); periods > 0 {
		d.conditions(a, periods)
	}
}
