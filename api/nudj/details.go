package nudj

import "laurel/internal/query"

// Details is everything about a user.
type Details struct {
	UserID            string        `json:"userId"`
	Username          string        `json:"username"`
	Email             string        `json:"email"`
	CreatedAt         string        `json:"createdAt"`
	Stats             Stats         `json:"stats"`
	XPBreakdown       XPBreakdown   `json:"xpBreakdown"`
	Achievements      []Achievement `json:"achievements" nullable:"false"`
	Challenges        []Challenge   `json:"challenges" nullable:"false"`
	RewardAssets      []Asset       `json:"rewardAssets" nullable:"false"`
	RewardEntries     []Entry       `json:"rewardEntries" nullable:"false"`
	Streaks           []Streak      `json:"streaks" nullable:"false"`
	DisplayName       string        `json:"displayName,omitempty"`
	ProfilePictureURL string        `json:"profilePictureUrl,omitempty"`
}

// Number is a number as the native API writes it.
type Number = query.Score

// Stats are totals.
type Stats struct {
	TotalPoints              Number `json:"totalPoints" doc:"Earned in the wallet doors.nudj.points"`
	TotalXP                  Number `json:"totalXP" doc:"Earned in the wallet doors.nudj.xp"`
	CurrentLevel             int    `json:"currentLevel" doc:"Step of the level doors.nudj.level"`
	TotalAchievements        int    `json:"totalAchievements" doc:"Completions"`
	TotalChallengesCompleted int    `json:"totalChallengesCompleted"`
	TotalChallengesStarted   int    `json:"totalChallengesStarted"`
	TotalRewardsEarned       int    `json:"totalRewardsEarned" doc:"Grants"`
}

// XPBreakdown is what was earned, by category.
type XPBreakdown struct {
	Knowledge     Number `json:"knowledge"`
	Creativity    Number `json:"creativity"`
	Participation Number `json:"participation"`
	Loyalty       Number `json:"loyalty"`
	Influence     Number `json:"influence"`
	Contribution  Number `json:"contribution"`
	Total         Number `json:"total" doc:"The sum of the six"`
}

// Achievement is one of the catalog's, with the user's progress.
type Achievement struct {
	AchievementID          string `json:"achievementId"`
	AchievementName        string `json:"achievementName"`
	Progress               Number `json:"progress"`
	ProgressMax            Number `json:"progressMax"`
	IsCompleted            bool   `json:"isCompleted"`
	AchievementDescription string `json:"achievementDescription,omitempty"`
	CompletedAt            string `json:"completedAt,omitempty"`
	LastUpdatedAt          string `json:"lastUpdatedAt,omitempty" doc:"When it was completed last"`
	ExpiresAt              string `json:"expiresAt,omitempty" doc:"The end of the current period, of one that is for periods"`
	BannerURL              string `json:"bannerUrl,omitempty"`
	RewardID               string `json:"rewardId,omitempty" doc:"The first that it grants"`
	RewardName             string `json:"rewardName,omitempty"`
	ProgressSummary        []Part `json:"progressSummary,omitempty" doc:"Of one with several criteria"`
}

// Part is one criterion.
type Part struct {
	Progress    Number `json:"progress"`
	ProgressMax Number `json:"progressMax"`
	IsCompleted bool   `json:"isCompleted"`
}

// Challenge is a mission.
type Challenge struct {
	ChallengeID      string  `json:"challengeId"`
	Status           string  `json:"status" doc:"available, started, completed, failed"`
	PointsEarned     Number  `json:"pointsEarned"`
	XPEarned         Number  `json:"xpEarned"`
	AttemptsCount    int     `json:"attemptsCount"`
	ActionsCompleted int     `json:"actionsCompleted" doc:"Needs that are met"`
	SuccessRate      float64 `json:"successRate" doc:"100 · completed / attempts"`
	ChallengeName    string  `json:"challengeName,omitempty"`
	StartedAt        string  `json:"startedAt,omitempty"`
	CompletedAt      string  `json:"completedAt,omitempty"`
	LastAttemptAt    string  `json:"lastAttemptAt,omitempty"`
	BannerURL        string  `json:"bannerUrl,omitempty"`
}

// Asset is a reward that was granted.
type Asset struct {
	RewardID         string `json:"rewardId"`
	RewardName       string `json:"rewardName"`
	Type             string `json:"type" enum:"asset"`
	ID               string `json:"id,omitempty"`
	Description      string `json:"description,omitempty"`
	BannerURL        string `json:"bannerUrl,omitempty"`
	AcquiredAt       string `json:"acquiredAt,omitempty"`
	ClaimedAt        string `json:"claimedAt,omitempty"`
	RedeemedAt       string `json:"redeemedAt,omitempty"`
	ExpiresAt        string `json:"expiresAt,omitempty"`
	Expired          *bool  `json:"expired,omitempty"`
	Status           string `json:"status,omitempty" enum:"issued,claimed,redeemed,expired"`
	RedeemableType   string `json:"redeemableType,omitempty"`
	Code             string `json:"code,omitempty"`
	AllocationID     string `json:"allocationId,omitempty"`
	EventCategory    string `json:"eventCategory,omitempty"`
	EventSubCategory string `json:"eventSubCategory,omitempty"`
	EventSourceID    string `json:"eventSourceId,omitempty" doc:"What it was issued by"`
	CommunityID      string `json:"communityId,omitempty"`
}

// Entry is a reward of which so many entries were granted.
type Entry struct {
	RewardID         string `json:"rewardId"`
	RewardName       string `json:"rewardName"`
	Type             string `json:"type" enum:"entry"`
	ID               string `json:"id,omitempty"`
	Description      string `json:"description,omitempty"`
	EntryCount       int64  `json:"entryCount"`
	AcquiredAt       string `json:"acquiredAt,omitempty"`
	ClaimedAt        string `json:"claimedAt,omitempty"`
	RedeemedAt       string `json:"redeemedAt,omitempty"`
	ExpiresAt        string `json:"expiresAt,omitempty"`
	Expired          *bool  `json:"expired,omitempty"`
	Status           string `json:"status,omitempty" enum:"issued,claimed,redeemed,expired"`
	RedeemableType   string `json:"redeemableType,omitempty"`
	Code             string `json:"code,omitempty"`
	AllocationID     string `json:"allocationId,omitempty"`
	EventCategory    string `json:"eventCategory,omitempty"`
	EventSubCategory string `json:"eventSubCategory,omitempty"`
	EventSourceID    string `json:"eventSourceId,omitempty"`
	CommunityID      string `json:"communityId,omitempty"`
	BannerURL        string `json:"bannerUrl,omitempty"`
}

// Streak is one that the user has, or had.
type Streak struct {
	ID              string               `json:"id"`
	AchievementID   string               `json:"achievementId" doc:"Of the first achievement that rests on the streak; else the streak's own"`
	AchievementName string               `json:"achievementName"`
	CommunityID     string               `json:"communityId"`
	CommunityName   string               `json:"communityName"`
	CurrentStreak   int                  `json:"currentStreak"`
	LongestStreak   int                  `json:"longestStreak"`
	LastExtendedAt  string               `json:"lastExtendedAt"`
	StreakPeriods   []query.StreakPeriod `json:"streakPeriods" nullable:"false" doc:"The history of the native API, oldest first"`
}
