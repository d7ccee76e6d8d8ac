package catalog

import "laurel/internal/calendar"

// Doors says what the vendor-shaped doors show in fields that other servers fill in their own way. Each is nil or empty where the catalog says nothing.
type Doors struct {
	Returning ReturningDoor
	Nudj      NudjDoor
}

// ReturningDoor is what stands behind the Returning.AI-shaped user data.
type ReturningDoor struct {
	XP, Coins *Wallet
	// Counters are the rules, with the cycle all, of the answer's fields: totalMessages, totalReactions, visitCount, replySent, timeSpent; and socials, which
	// only the stats per day have.
	Counters    map[string]*Rule
	LoginStreak *Streak
	Roles       []string // from the highest on; each begins with @
}

// NudjDoor is what stands behind the Nudj-shaped user details. XP has categories.
type NudjDoor struct {
	Points, XP                 *Wallet
	Level                      *Level
	CommunityID, CommunityName string
}

// loginStreak is the one counter that is of a streak.
const loginStreak = "loginStreak"

func (b *builder) doors(src *doorsSource, p path) {
	c := b.catalog
	returning, nudj := p.to("returning"), p.to("nudj")
	c.Doors.Returning = ReturningDoor{
		XP:    b.walletOf(src.Returning.XP, returning.to("xp")),
		Coins: b.walletOf(src.Returning.Coins, returning.to("coins")),
		Roles: src.Returning.Roles,
	}
	for field, id := range src.Returning.Counters {
		b.counter(field, id, returning.to("counters", field))
	}
	c.Doors.Nudj = NudjDoor{
		Points:      b.walletOf(src.Nudj.Points, nudj.to("points")),
		XP:          b.walletOf(src.Nudj.XP, nudj.to("xp")),
		CommunityID: src.Nudj.Community.ID, CommunityName: src.Nudj.Community.Name,
	}
	if xp := c.Doors.Nudj.XP; xp != nil && !xp.Categories {
		b.report.at(nudj.to("xp"), "the wallet %s has no categories, by which this door splits it", xp.ID)
	}
	if i := b.ref(Levels, src.Nudj.Level, nudj.to("level")); i >= 0 {
		c.Doors.Nudj.Level = c.Levels[i]
	}
}

func (b *builder) walletOf(id string, p path) *Wallet {
	if i := b.ref(Wallets, id, p); i >= 0 {
		return b.catalog.Wallets[i]
	}
	return nil
}

// counter finds what a field of the Returning.AI-shaped answer counts.
func (b *builder) counter(field, id string, p path) {
	door := &b.catalog.Doors.Returning
	if field == loginStreak {
		if i := b.ref(Streaks, id, p); i >= 0 {
			door.LoginStreak = b.catalog.Streaks[i]
		}
		return
	}
	i := b.ref(Rules, id, p)
	if i < 0 {
		return
	}
	rule := b.catalog.Rules[i]
	if _, ok := rule.Cycle(calendar.All.String()); !ok && !b.faultyCycles[i] {
		b.report.at(p, "the rule %s has no cycle all, of which this is the value", id)
	}
	if door.Counters == nil {
		door.Counters = map[string]*Rule{}
	}
	door.Counters[field] = rule
}
