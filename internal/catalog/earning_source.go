package catalog

import (
	"encoding/json"
	"strconv"
)

// The plain structs of what is earned; see source.go.

// headSource is what definitions of all these kinds begin with.
type headSource struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Banner      string `json:"banner"`
}

func (h *headSource) head() *headSource { return h }

func (h *headSource) shown() Shown {
	return Shown{Number: h.Number, Name: h.Name, Description: h.Description, Banner: h.Banner}
}

// earningSource stands in an org's source, beside its other kinds.
type earningSource struct {
	Wallets      []*walletSource      `json:"wallets"`
	Awards       []*awardSource       `json:"awards"`
	Levels       []*levelSource       `json:"levels"`
	Achievements []*achievementSource `json:"achievements"`
	Missions     []*missionSource     `json:"missions"`
	Rewards      []*rewardSource      `json:"rewards"`
	Gifts        []*giftSource        `json:"gifts"`
	Bounties     []*bountySource      `json:"bounties"`
	KPIs         []*kpiSource         `json:"kpis"`
	TargetGroups []*groupSource       `json:"target_groups"`
	Prizes       []*prizeSource       `json:"prizes"`
	Webhooks     []*webhookSource     `json:"webhooks"`
	Hooks        []*hookSource        `json:"hooks"`
	Doors        doorsSource          `json:"doors"`
}

type walletSource struct {
	headSource
	Decimals   int  `json:"decimals"`
	Categories bool `json:"categories"`
	Expires    struct {
		Days   int `json:"days"`
		Months int `json:"months"`
	} `json:"expires"`
}

type awardSource struct {
	headSource
	When     *whenSource   `json:"when"`
	Wallet   string        `json:"wallet"`
	Points   *amountSource `json:"points"`
	Category string        `json:"category"`
}

// amountSource is a number, or the text of an expression.
type amountSource struct {
	Number float64
	Text   string
}

func (a *amountSource) UnmarshalJSON(b []byte) (err error) {
	if b[0] == '"' {
		return json.Unmarshal(b, &a.Text)
	}
	a.Number, err = strconv.ParseFloat(string(b), 64)
	return err
}

type pointsSource struct {
	Wallet   string   `json:"wallet"`
	Points   *float64 `json:"points"`
	Category string   `json:"category"`
}

type givesSource struct {
	Points []*pointsSource `json:"points"`
	Grants []string        `json:"grants"`
}

type levelSource struct {
	headSource
	Wallet string        `json:"wallet"`
	Steps  []*stepSource `json:"steps"`
}

type stepSource struct {
	At     *float64 `json:"at"`
	Name   string   `json:"name"`
	Grants []string `json:"grants"`
}

type achievementSource struct {
	headSource
	conditionSource
	Any  []*criterionSource `json:"any"`
	All  []*criterionSource `json:"all"`
	Rank *rankSource        `json:"rank"`
	Per  string             `json:"per"`
	givesSource
}

type criterionSource struct {
	conditionSource
	Streak      string `json:"streak"`
	Wallet      string `json:"wallet"`
	Level       string `json:"level"`
	Achievement string `json:"achievement"`
}

type rankSource struct {
	Rule   string `json:"rule"`
	Cycle  string `json:"cycle"`
	AtMost int    `json:"at_most"`
}

type missionSource struct {
	headSource
	Needs    []*needSource   `json:"needs"`
	Start    string          `json:"start"`
	Within   *durationSource `json:"within"`
	Attempts *int            `json:"attempts"`
	givesSource
}

type needSource struct {
	Achievement string `json:"achievement"`
	Level       string `json:"level"`
	AtLeast     int    `json:"at_least"`
}

type rewardSource struct {
	headSource
	Type             string          `json:"type"`
	Stock            *int64          `json:"stock"`
	Expires          *durationSource `json:"expires"`
	Code             string          `json:"code"`
	Price            *pointsSource   `json:"price"`
	EventCategory    string          `json:"event_category"`
	EventSubCategory string          `json:"event_sub_category"`
	Community        string          `json:"community"`
	RedeemableType   string          `json:"redeemable_type"`
}

type giftSource struct {
	headSource
	Cost  *pointsSource `json:"cost"`
	Gives struct {
		pointsSource
		Reward string `json:"reward"`
	} `json:"gives"`
}

type bountySource struct {
	headSource
	Wallet string   `json:"wallet"`
	Min    *float64 `json:"min"`
	Max    *float64 `json:"max"`
}

type kpiSource struct {
	headSource
	Rule    string             `json:"rule"`
	Targets map[string]float64 `json:"targets"`
}

type groupSource struct {
	headSource
	Cycle       string   `json:"cycle"`
	Rules       []string `json:"rules"`
	Enrolment   string   `json:"enrolment"`
	Leaderboard *bool    `json:"leaderboard"`
	Active      *bool    `json:"active"`
}

type prizeSource struct {
	headSource
	Rule  string             `json:"rule"`
	Cycle string             `json:"cycle"`
	Ranks []*prizeRankSource `json:"ranks"`
}

type prizeRankSource struct {
	From int `json:"from"`
	To   int `json:"to"`
	givesSource
}

type doorsSource struct {
	Returning struct {
		XP       string            `json:"xp"`
		Coins    string            `json:"coins"`
		Counters map[string]string `json:"counters"`
		Roles    []string          `json:"roles"`
	} `json:"returning"`
	Nudj struct {
		Points    string `json:"points"`
		XP        string `json:"xp"`
		Level     string `json:"level"`
		Community struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"community"`
	} `json:"nudj"`
}

// categoryOf reads the word of a category.
func categoryOf(word string) Category {
	for c := Knowledge; c <= Contribution; c++ {
		if c.String() == word {
			return c
		}
	}
	return NoCategory
}

// String is the word of the catalog; "" for NoCategory.
func (c Category) String() string {
	words := [...]string{"", "knowledge", "creativity", "participation", "loyalty", "influence", "contribution"}
	if int(c) >= len(words) {
		return "category " + strconv.Itoa(int(c))
	}
	return words[c]
}
