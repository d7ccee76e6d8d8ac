package nudj

import (
	"cmp"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/query"
)

// details writes a person in the door's shape.
func details(p *query.Person, given []grants.Grant) *Details {
	door := &p.Catalog.Doors.Nudj
	xp := p.Wallet(door.XP)
	d := &Details{
		UserID: string(p.User), Username: p.Profile.Username, Email: p.Profile.Email, CreatedAt: instant(p.Profile.CreatedAt),
		DisplayName: p.Profile.Name, ProfilePictureURL: p.Profile.Picture,
		Stats:       Stats{TotalPoints: p.Wallet(door.Points).Earned, TotalXP: xp.Earned, TotalRewardsEarned: len(given)},
		XPBreakdown: breakdown(&xp),
	}
	if door.Level != nil {
		i, _ := p.Catalog.Find(catalog.Levels, door.Level.ID)
		d.Stats.CurrentLevel = p.Levels[i].Step
	}
	for i := range p.Achievements {
		d.Stats.TotalAchievements += p.Achievements[i].Times
		d.Achievements = append(d.Achievements, achievement(p, i))
	}
	for i := range p.Missions {
		c := challenge(p, i)
		if c.AttemptsCount > 0 {
			d.Stats.TotalChallengesStarted++
		}
		if c.Status == "completed" {
			d.Stats.TotalChallengesCompleted++
		}
		d.Challenges = append(d.Challenges, c)
	}
	for i := range given {
		d.give(p, &given[i])
	}
	for i := range p.Streaks {
		if p.Streaks[i].TotalPeriods > 0 {
			d.Streaks = append(d.Streaks, streak(p, i))
		}
	}
	return d
}

// instant is a time as the native API writes it, "" for none.
func instant(i calendar.Instant) string {
	if i == 0 {
		return ""
	}
	return i.String()
}

// breakdown splits what was earned by category. What an award without a category earned is in none, so that the total may be less than all that was earned.
func breakdown(xp *query.Wallet) XPBreakdown {
	of := func(c catalog.Category) Number { return xp.Categories[c.String()] }
	b := XPBreakdown{Knowledge: of(catalog.Knowledge), Creativity: of(catalog.Creativity), Participation: of(catalog.Participation), Loyalty: of(catalog.Loyalty),
		Influence: of(catalog.Influence), Contribution: of(catalog.Contribution), Total: Number{Decimals: xp.Earned.Decimals}}
	for _, n := range xp.Categories {
		b.Total.Scaled += n.Scaled
	}
	return b
}

func achievement(p *query.Person, i int) Achievement {
	def, is := p.Catalog.Achievements[i], &p.Achievements[i]
	a := Achievement{
		AchievementID: def.ID, AchievementName: cmp.Or(def.Name, def.ID), Progress: is.Progress, ProgressMax: is.ProgressMax, IsCompleted: is.Completed,
		AchievementDescription: def.Description, CompletedAt: instant(is.CompletedAt), LastUpdatedAt: instant(is.LastAt), BannerURL: def.Banner,
	}
	if def.Rank == nil && def.Per.Unit != calendar.All {
		if period, open := p.Catalog.Calendar().PeriodAt(def.Per, p.Now); open {
			a.ExpiresAt = instant(period.End)
		}
	}
	if len(def.Grants) > 0 {
		reward := p.Catalog.Rewards[def.Grants[0]]
		a.RewardID, a.RewardName = reward.ID, cmp.Or(reward.Name, reward.ID)
	}
	for _, c := range is.Criteria {
		a.ProgressSummary = append(a.ProgressSummary, Part{c.Progress, c.ProgressMax, c.Met})
	}
	return a
}

func challenge(p *query.Person, i int) Challenge {
	def, is := p.Catalog.Missions[i], &p.Missions[i]
	c := Challenge{
		ChallengeID: def.ID, Status: is.Status, AttemptsCount: is.Attempts, SuccessRate: is.SuccessRate, ChallengeName: def.Name,
		PointsEarned: Number{Decimals: p.Wallet(p.Catalog.Doors.Nudj.Points).Earned.Decimals}, XPEarned: Number{Decimals: p.Wallet(p.Catalog.Doors.Nudj.XP).Earned.Decimals},
		CompletedAt: instant(is.CompletedAt), LastAttemptAt: instant(is.StartedAt), BannerURL: def.Banner,
	}
	if is.Attempts == 1 { // of several it is only known when the last began
		c.StartedAt = c.LastAttemptAt
	}
	for _, need := range is.Needs {
		if need.Met {
			c.ActionsCompleted++
		}
	}
	if is.CompletedAt == 0 {
		return c
	}
	for _, given := range def.Points {
		wallet := p.Catalog.Wallets[given.Wallet]
		if wallet == p.Catalog.Doors.Nudj.Points {
			c.PointsEarned.Scaled += given.Amount
		}
		if wallet == p.Catalog.Doors.Nudj.XP {
			c.XPEarned.Scaled += given.Amount
		}
	}
	return c
}

// give adds a grant to what was given. One whose reward the catalog has no more goes by its id, as an asset.
func (d *Details) give(p *query.Person, g *grants.Grant) {
	c, status := p.Catalog, g.Status(p.Now)
	reward := &catalog.Reward{ID: g.Reward}
	if i, some := c.Find(catalog.Rewards, g.Reward); some {
		reward = c.Rewards[i]
	}
	expired := status == grants.StatusExpired
	a := Asset{
		RewardID: g.Reward, RewardName: cmp.Or(reward.Name, g.Reward), Type: "asset", ID: g.ID, Description: reward.Description, BannerURL: reward.Banner,
		AcquiredAt: instant(g.IssuedAt), ClaimedAt: instant(g.ClaimedAt), RedeemedAt: instant(g.RedeemedAt), ExpiresAt: instant(g.ExpiresAt), Expired: &expired,
		Status: string(status), RedeemableType: reward.RedeemableType, Code: g.Code, AllocationID: g.ID, EventCategory: reward.EventCategory,
		EventSubCategory: reward.EventSubCategory, EventSourceID: g.By, CommunityID: cmp.Or(reward.Community, c.Doors.Nudj.CommunityID),
	}
	if !reward.Entry {
		d.RewardAssets = append(d.RewardAssets, a)
		return
	}
	d.RewardEntries = append(d.RewardEntries, Entry{
		RewardID: a.RewardID, RewardName: a.RewardName, Type: "entry", ID: a.ID, Description: a.Description, EntryCount: g.Count, AcquiredAt: a.AcquiredAt,
		ClaimedAt: a.ClaimedAt, RedeemedAt: a.RedeemedAt, ExpiresAt: a.ExpiresAt, Expired: a.Expired, Status: a.Status, RedeemableType: a.RedeemableType, Code: a.Code,
		AllocationID: a.AllocationID, EventCategory: a.EventCategory, EventSubCategory: a.EventSubCategory, EventSourceID: a.EventSourceID,
		CommunityID: a.CommunityID, BannerURL: a.BannerURL,
	})
}

func streak(p *query.Person, i int) Streak {
	def, is := p.Catalog.Streaks[i], &p.Streaks[i]
	door := &p.Catalog.Doors.Nudj
	s := Streak{
		ID: def.ID, AchievementID: def.ID, AchievementName: cmp.Or(def.Name, def.ID),
		CommunityID: cmp.Or(door.CommunityID, string(p.Org)), CommunityName: cmp.Or(door.CommunityName, string(p.Org)),
		CurrentStreak: is.Current, LongestStreak: is.Longest, LastExtendedAt: instant(is.LastExtendedAt), StreakPeriods: is.History,
	}
	for _, a := range p.Catalog.Achievements {
		if slices.ContainsFunc(a.Criteria, func(c catalog.Criterion) bool { return c.Kind == catalog.OfStreak && c.Of == i }) {
			s.AchievementID, s.AchievementName = a.ID, cmp.Or(a.Name, a.ID)
			break
		}
	}
	return s
}
