package catalog

import (
	"time"

	"laurel/internal/calendar"
)

// Earning holds the definitions of what activities earn (docs/REWARDS.md), each kind in the order of the source.
type Earning struct {
	Wallets      []*Wallet
	Awards       []*Award
	Levels       []*Level
	Achievements []*Achievement
	Missions     []*Mission
	Rewards      []*Reward
	Gifts        []*Gift
	Bounties     []*Bounty
	KPIs         []*KPI
	TargetGroups []*TargetGroup
	Prizes       []*Prize
	// Webhooks and Hooks are where events go, and where activities come from. They earn nothing, and are defined as what does.
	Webhooks []*Webhook
	Hooks    []*Hook
	// Order is the order in which what is derived can be: each after all that it rests on. A definition's place in its list above is its Index.
	Order []Derived

	places map[Kind]*places
}

// Find returns the index of a definition in the list of its kind, also of rules and streaks; some is false where there is none.
func (e *Earning) Find(k Kind, id string) (index int, some bool) {
	if known := e.places[k]; known != nil {
		index, some = known.index[id]
	}
	return index, some
}

// Derived names a definition that is derived from others.
type Derived struct {
	Kind  Kind // Wallets, Levels, Achievements or Missions
	Index int
}

// Shown is what definitions say of themselves to people. Number is 0 for none.
type Shown struct {
	Number                    int64
	Name, Description, Banner string
}

// Category is one of the six that a wallet's earnings may be split by; NoCategory counts in none.
type Category uint8

// The categories.
const (
	NoCategory Category = iota
	Knowledge
	Creativity
	Participation
	Loyalty
	Influence
	Contribution
)

// Categories is how many there are.
const Categories = 6

// Wallet is a ledger of one type of points. Lots is the unit of what expires, Day or Month, kept for Expires units after its own; Expires 0: nothing does.
type Wallet struct {
	ID string
	Shown
	Decimals   int
	Categories bool
	Lots       calendar.Unit
	Expires    int
	// Print is a fingerprint of what a user's ledger depends on beside the activities: the wallet's expiry and decimals, and its awards.
	Print uint32
}

// Award gives points into a wallet for each activity that it selects, as Earns says.
type Award struct {
	ID string
	// Selector is of fold Sum, and Decimals the wallet's. Eval may give a value below 0.
	Selector
	Wallet   int // index
	Category Category
}

// Points are given into a wallet by a completion, a prize or a gift: Amount is above 0, scaled by the wallet's decimals.
type Points struct {
	Wallet   int
	Amount   int64
	Category Category
}

// Gives is what a completion gives. Grants are indexes of rewards.
type Gives struct {
	Points []Points
	Grants []int
}

// Level is an ordered row of thresholds over what a wallet ever earned.
type Level struct {
	ID string
	Shown
	Wallet int
	Steps  []Step // At rises
}

// Step is one level. At is scaled by the wallet's decimals.
type Step struct {
	At     int64
	Name   string
	Grants []int
}

// Achievement is a set of criteria. With Rank set it has no others.
type Achievement struct {
	ID string
	Shown
	All      bool
	Criteria []Criterion
	Per      calendar.Cycle // All: once ever
	Rank     *RankCriterion
	Gives
	// Print is a fingerprint of the criteria over activities and Per.
	Print uint32
}

// CriterionKind says what a criterion looks at.
type CriterionKind uint8

// The kinds of criteria.
const (
	OfActivities CriterionKind = iota
	OfStreak
	OfWallet
	OfLevel
	OfAchievement
)

// Criterion holds where its value is at least AtLeast. Of is the index of what it looks at: the value is the longest length of a streak, what was earned
// in a wallet (scaled by Decimals, which are the wallet's), a level's step, or how often an achievement was completed. Of activities Of is −1; of others
// there is no more in Condition than AtLeast and Decimals, and nothing is to be selected by it.
type Criterion struct {
	Kind CriterionKind
	Condition
	Of int
}

// RankCriterion is met by who stands at AtMost or better when a period closes.
type RankCriterion struct {
	Rule   int
	Cycle  calendar.Cycle
	AtMost int
}

// Need is one part of a mission: an achievement, or a step (from 1) of a level.
type Need struct {
	Kind CriterionKind // OfAchievement or OfLevel
	Of   int
	Step int
}

// Mission is a set of needs. Within 0: without end. Attempts is at least 1.
type Mission struct {
	ID string
	Shown
	Needs    []Need
	Required bool // has to be started
	Within   time.Duration
	Attempts int
	Gives
}

// Reward is what is granted. Stock −1: without limit. Price nil: it is no coupon.
type Reward struct {
	ID string
	Shown
	Entry   bool // a count of entries, else an asset
	Stock   int64
	Expires time.Duration // 0: never
	Code    string        // "": none; each # becomes a sign that is not guessed
	Price   *Points
	// What doors show beside: category and sub-category of the event, community.
	EventCategory, EventSubCategory, Community, RedeemableType string
}

// Gift is what one user can give another: Points, or the Reward of an index, −1 for none. Neither: nothing but the news. Cost nil: it costs nothing.
type Gift struct {
	ID string
	Shown
	Cost   *Points
	Points *Points
	Reward int
}

// Bounty is points that a user holds out for others: from Min, at least 1, to Max, scaled.
type Bounty struct {
	ID string
	Shown
	Wallet   int
	Min, Max int64
}

// KPI is a rule with targets.
type KPI struct {
	ID string
	Shown
	Rule    int
	Targets []Target
}

// Target is what is aimed at in each period of a cycle of the rule, scaled by the rule's decimals, above 0.
type Target struct {
	Cycle  calendar.Cycle
	Target int64
}

// TargetGroup is a set of rules and streaks that share a cycle. Members of it that are streaks rank by their current length.
type TargetGroup struct {
	ID string
	Shown
	Cycle       calendar.Cycle
	Rules       []GroupRule
	Explicit    bool // enrolment is
	Leaderboard bool
	Active      bool
}

// GroupRule is a member of a target group: a rule by its index, or a streak.
type GroupRule struct {
	Streak bool
	Index  int
}

// Prize is given by rank when a period closes.
type Prize struct {
	ID string
	Shown
	Rule  int
	Cycle calendar.Cycle
	Ranks []PrizeRank // in order, none overlap
}

// PrizeRank is what ranks From to To (from 1, both included) get.
type PrizeRank struct {
	From, To int
	Gives
}
