package api

import "laurel/internal/calendar"

type walletDoc struct {
	Wallet      string             `json:"wallet" example:"xp"`
	Name        string             `json:"name,omitempty" example:"XP"`
	Description string             `json:"description,omitempty"`
	Banner      string             `json:"banner,omitempty"`
	Balance     float64            `json:"balance" doc:"The sum of all rows" example:"120"`
	Earned      float64            `json:"earned" doc:"Ever; levels look at it" example:"130"`
	Redeemed    float64            `json:"redeemed"`
	Spent       float64            `json:"spent"`
	Refunded    float64            `json:"refunded"`
	Set         float64            `json:"set" doc:"By how much balances were set; signed"`
	Expired     float64            `json:"expired" example:"10"`
	Categories  map[string]float64 `json:"categories,omitempty" doc:"Of earned, where the wallet has categories"`
	Expiring    *expiringDoc       `json:"expiring,omitempty" doc:"What expires next, as things stand"`
}

type expiringDoc struct {
	Amount float64          `json:"amount" example:"5"`
	At     calendar.Instant `json:"at" example:"2026-12-01T00:00:00.000Z"`
}

type walletsDoc struct {
	Wallets []walletDoc `json:"wallets"`
}

type walletRowDoc struct {
	At          calendar.Instant `json:"at" example:"2026-11-21T19:40:00.000Z"`
	Type        string           `json:"type" enum:"earn,redeem,spend,refund,set,expire" example:"earn"`
	Amount      float64          `json:"amount" doc:"Below 0 for what takes something away" example:"10"`
	Category    string           `json:"category,omitempty"`
	Award       string           `json:"award,omitempty" doc:"What gave it: an award, an achievement or a mission" example:"commit-xp"`
	Activity    string           `json:"activity,omitempty" doc:"The id of the activity, with award, or kind" example:"c1"`
	Achievement string           `json:"achievement,omitempty"`
	Period      string           `json:"period,omitempty" doc:"The label of the period, with achievement, or of the one that closed, of a prize"`
	Mission     string           `json:"mission,omitempty"`
	Kind        string           `json:"kind,omitempty" enum:"point,coupon,gift,bounty,prize" doc:"Of an activity with which the row was decided, or what the close of a period or, with from, another user gave"`
	Name        string           `json:"name,omitempty" doc:"What that activity names, with kind" example:"coffee"`
	From        string           `json:"from,omitempty" doc:"The user who gave it" example:"ada"`
}

type walletPageDoc struct {
	Wallet      string             `json:"wallet" example:"xp"`
	Name        string             `json:"name,omitempty" example:"XP"`
	Description string             `json:"description,omitempty"`
	Banner      string             `json:"banner,omitempty"`
	Balance     float64            `json:"balance" doc:"The sum of all rows" example:"120"`
	Earned      float64            `json:"earned" doc:"Ever; levels look at it" example:"130"`
	Redeemed    float64            `json:"redeemed"`
	Spent       float64            `json:"spent"`
	Refunded    float64            `json:"refunded"`
	Set         float64            `json:"set" doc:"By how much balances were set; signed"`
	Expired     float64            `json:"expired" example:"10"`
	Categories  map[string]float64 `json:"categories,omitempty" doc:"Of earned, where the wallet has categories"`
	Expiring    *expiringDoc       `json:"expiring,omitempty" doc:"What expires next, as things stand"`
	Rows        []walletRowDoc     `json:"rows" nullable:"false" doc:"Newest first"`
	Since       calendar.Instant   `json:"since,omitempty" doc:"What is older has been summed up; absent where nothing has"`
	Next        string             `json:"next,omitempty" doc:"Pass it as before to get the next page; absent on the last"`
}

type levelDoc struct {
	Level       string        `json:"level" example:"tier"`
	Name        string        `json:"name,omitempty" example:"XP"`
	Description string        `json:"description,omitempty"`
	Banner      string        `json:"banner,omitempty"`
	Wallet      string        `json:"wallet" example:"xp"`
	Step        int           `json:"step" doc:"How many steps are reached" example:"1"`
	StepName    string        `json:"step_name,omitempty" example:"Bronze"`
	Next        *nextLevelDoc `json:"next,omitempty"`
}

type nextLevelDoc struct {
	Name    string  `json:"name" example:"Silver"`
	At      float64 `json:"at" example:"1000"`
	Missing float64 `json:"missing" example:"870"`
}

type earnedPartDoc struct {
	Of          string  `json:"of" doc:"What it looks at: streak:, wallet:, level: or achievement: and an id, or the kind of activities (activity: of any) with :name,name where names matter" example:"behaviour:commit"`
	Progress    float64 `json:"progress" example:"40"`
	ProgressMax float64 `json:"progress_max" example:"100"`
	Met         bool    `json:"met"`
}

type achievementDoc struct {
	Achievement string           `json:"achievement" example:"hundred"`
	Name        string           `json:"name,omitempty" example:"XP"`
	Description string           `json:"description,omitempty"`
	Banner      string           `json:"banner,omitempty"`
	Per         string           `json:"per" doc:"all, or the cycle in each period of which it is completed anew" example:"all"`
	Progress    float64          `json:"progress" example:"40"`
	ProgressMax float64          `json:"progress_max" example:"100"`
	Completed   bool             `json:"completed" doc:"In the current period"`
	CompletedAt calendar.Instant `json:"completed_at,omitempty"`
	Times       int              `json:"times" doc:"How many periods were completed"`
	FirstAt     calendar.Instant `json:"first_completed_at,omitempty"`
	LastAt      calendar.Instant `json:"last_completed_at,omitempty"`
	Criteria    []earnedPartDoc  `json:"criteria,omitempty" doc:"Where there are several"`
}

type achievementsDoc struct {
	Levels       []levelDoc       `json:"levels"`
	Achievements []achievementDoc `json:"achievements"`
}

type missionDoc struct {
	Mission     string           `json:"mission" example:"onboarding"`
	Name        string           `json:"name,omitempty" example:"XP"`
	Description string           `json:"description,omitempty"`
	Banner      string           `json:"banner,omitempty"`
	Status      string           `json:"status" enum:"available,started,completed,failed"`
	Startable   bool             `json:"startable" doc:"A start would be accepted now"`
	Attempts    int              `json:"attempts"`
	MaxAttempts int              `json:"max_attempts" example:"1"`
	StartedAt   calendar.Instant `json:"started_at,omitempty"`
	CompletedAt calendar.Instant `json:"completed_at,omitempty"`
	FailedAt    calendar.Instant `json:"failed_at,omitempty"`
	Deadline    calendar.Instant `json:"deadline,omitempty" doc:"When the attempt that runs fails"`
	SuccessRate float64          `json:"success_rate" doc:"100 · completed / attempts"`
	Needs       []earnedPartDoc  `json:"needs"`
}

type missionsDoc struct {
	Missions []missionDoc `json:"missions"`
}

type kpiDoc struct {
	KPI         string  `json:"kpi" example:"commits"`
	Name        string  `json:"name,omitempty" example:"XP"`
	Description string  `json:"description,omitempty"`
	Banner      string  `json:"banner,omitempty"`
	Rule        string  `json:"rule" example:"commits"`
	Cycle       string  `json:"cycle" example:"week"`
	Period      string  `json:"period" example:"2026-W47"`
	Value       float64 `json:"value" example:"4"`
	Target      float64 `json:"target" example:"10"`
	Percent     float64 `json:"percent" example:"40"`
}

type kpisDoc struct {
	KPIs []kpiDoc `json:"kpis" nullable:"false"`
}

const (
	exampleMissions = `{"missions":[{"mission":"onboarding","status":"started","startable":false,"attempts":1,"max_attempts":3,"started_at":"2026-11-21T19:40:00.000Z",` +
		`"deadline":"2026-12-21T19:40:00.000Z","success_rate":0,"needs":[{"of":"achievement:hundred","progress":40,"progress_max":100,"met":false}]}]}`
	exampleWallet = `"wallet":"xp","name":"XP","balance":120,"earned":120,"redeemed":0,"spent":0,"refunded":0,"set":0,"expired":0`
)

func docGetWallets() operation {
	return operation{id: "getWallets", tag: "users", summary: "Read a user's wallets", query: []param{minRevision()},
		responses: []response{ok("The wallets", walletsDoc{}, `{"wallets":[{`+exampleWallet+`}]}`)}, errors: userErrors()}
}

func docGetWallet() operation {
	return operation{id: "getWallet", tag: "users", summary: "Read a wallet of a user, with its rows",
		query: []param{{name: "limit", description: "Rows", schema: integer(1, maxActivities, defaultLimit)},
			{name: "before", description: "next of the answer before", schema: text()}, minRevision()},
		responses: []response{ok("The wallet", walletPageDoc{}, `{`+exampleWallet+`,"rows":[{"at":"2026-11-21T19:40:00.000Z","type":"earn","amount":120,`+
			`"award":"commit-xp","activity":"c1"}]}`)}, errors: append(userErrors(), "wallet_not_found", "bad_cursor")}
}

func docGetAchievements() operation {
	return operation{id: "getAchievements", tag: "users", summary: "Read a user's levels and achievements", query: []param{minRevision()},
		responses: []response{ok("The levels and achievements", achievementsDoc{}, `{"levels":[{"level":"tier","wallet":"xp","step":1,"step_name":"Bronze",`+
			`"next":{"name":"Silver","at":1000,"missing":880}}],"achievements":[{"achievement":"hundred","per":"all","progress":40,"progress_max":100,`+
			`"completed":false,"times":0}]}`)}, errors: userErrors()}
}

func docGetMissions() operation {
	return operation{id: "getMissions", tag: "users", summary: "Read a user's missions", query: []param{minRevision()},
		responses: []response{ok("The missions", missionsDoc{}, exampleMissions)}, errors: userErrors()}
}

func docStartMission() operation {
	return operation{id: "startMission", tag: "users", summary: "Start a mission for a user", description: "Of a mission with start: required.",
		responses: []response{ok("The missions", missionsDoc{}, exampleMissions)},
		errors:    []string{"bad_request", "org_not_found", "user_not_found", "user_merged", "mission_not_found", "mission_not_startable", "too_many_commands", "overloaded", "loading"}}
}

func docGetKPIs() operation {
	return operation{id: "getKPIs", tag: "users", summary: "Read a user's KPIs in their current periods",
		query:     []param{{name: "cycle", description: "Of this cycle only", schema: text()}, minRevision()},
		responses: []response{ok("The KPIs", kpisDoc{}, `{"kpis":[{"kpi":"commits","rule":"commits","cycle":"week","period":"2026-W47","value":4,"target":10,"percent":40}]}`)},
		errors:    userErrors()}
}
