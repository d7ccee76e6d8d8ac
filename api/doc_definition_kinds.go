package api

import "laurel/internal/catalog"

// definitionWords are what the document says of one kind of definitions.
type definitionWords struct {
	one, many string
	list      any    // the type of a listing
	example   string // one definition
}

// The listings, each under its kind.
type (
	ruleListDoc struct {
		Rules []definitionDoc `json:"rules" nullable:"false"`
	}
	streakRuleListDoc struct {
		Streaks []definitionDoc `json:"streaks" nullable:"false"`
	}
	behaviourListDoc struct {
		Behaviours []definitionDoc `json:"behaviours" nullable:"false"`
	}
	walletListDoc struct {
		Wallets []definitionDoc `json:"wallets" nullable:"false"`
	}
	awardListDoc struct {
		Awards []definitionDoc `json:"awards" nullable:"false"`
	}
	levelListDoc struct {
		Levels []definitionDoc `json:"levels" nullable:"false"`
	}
	achievementListDoc struct {
		Achievements []definitionDoc `json:"achievements" nullable:"false"`
	}
	missionListDoc struct {
		Missions []definitionDoc `json:"missions" nullable:"false"`
	}
	rewardListDoc struct {
		Rewards []definitionDoc `json:"rewards" nullable:"false"`
	}
	giftListDoc struct {
		Gifts []definitionDoc `json:"gifts" nullable:"false"`
	}
	bountyListDoc struct {
		Bounties []definitionDoc `json:"bounties" nullable:"false"`
	}
	kpiListDoc struct {
		KPIs []definitionDoc `json:"kpis" nullable:"false"`
	}
	targetGroupListDoc struct {
		TargetGroups []definitionDoc `json:"target_groups" nullable:"false"`
	}
	prizeListDoc struct {
		Prizes []definitionDoc `json:"prizes" nullable:"false"`
	}
	catalogWebhookListDoc struct {
		Webhooks []definitionDoc `json:"webhooks" nullable:"false"`
	}
	hookListDoc struct {
		Hooks []definitionDoc `json:"hooks" nullable:"false"`
	}
)

// words are those of the set's kind.
func (s definitionSet) words() definitionWords {
	return map[catalog.Kind]definitionWords{
		catalog.Rules: {"rule", "rules", ruleListDoc{},
			`{"id":"commits","when":{"name":"commit"},"value":"count","cycles":["week","all"]}`},
		catalog.Streaks: {"streak rule", "streak rules", streakRuleListDoc{},
			`{"id":"daily-commit","when":{"name":"commit"},"unit":"day","grace":"6h","freezes":{"initial":1,"max":2}}`},
		catalog.Behaviours: {"behaviour", "behaviours", behaviourListDoc{},
			`{"name":"commit","meta":{"added":"integer"}}`},
		catalog.Wallets: {"wallet", "wallets", walletListDoc{},
			`{"id":"coins","name":"Coins","decimals":2,"expires":{"months":12}}`},
		catalog.Awards: {"award", "awards", awardListDoc{},
			`{"id":"line-xp","when":{"name":"commit"},"wallet":"xp","points":"meta.added / 10.0"}`},
		catalog.Levels: {"level", "levels", levelListDoc{},
			`{"id":"tier","wallet":"xp","steps":[{"at":100,"name":"Bronze","grants":["mug"]},{"at":1000,"name":"Silver"}]}`},
		catalog.Achievements: {"achievement", "achievements", achievementListDoc{},
			`{"id":"hundred","when":{"name":"commit"},"at_least":100,"points":[{"wallet":"xp","points":500,"category":"loyalty"}]}`},
		catalog.Missions: {"mission", "missions", missionListDoc{},
			`{"id":"onboarding","needs":[{"achievement":"hundred"},{"level":"tier","at_least":1}],"start":"required","within":"30d","attempts":3}`},
		catalog.Rewards: {"reward", "rewards", rewardListDoc{},
			`{"id":"mug","name":"Mug","stock":100,"expires":"30d","code":"MUG-########","price":{"wallet":"coins","points":25}}`},
		catalog.Gifts: {"gift", "gifts", giftListDoc{},
			`{"id":"coffee","cost":{"wallet":"coins","points":3},"gives":{"wallet":"coins","points":3}}`},
		catalog.Bounties: {"bounty", "bounties", bountyListDoc{},
			`{"id":"bug","wallet":"coins","min":10,"max":1000}`},
		catalog.KPIs: {"KPI", "KPIs", kpiListDoc{},
			`{"id":"commits","name":"Commits","rule":"commits","targets":{"day":3,"week":10}}`},
		catalog.TargetGroups: {"target group", "target groups", targetGroupListDoc{},
			`{"id":"devs","number":232,"name":"Devs","cycle":"month","rules":["commits","lines","daily-commit"]}`},
		catalog.Prizes: {"prize", "prizes", prizeListDoc{},
			`{"id":"monthly","rule":"commits","cycle":"month","ranks":[{"from":1,"points":[{"wallet":"coins","points":100}]},{"from":2,"to":10,"grants":["raffle"]}]}`},
		catalog.Webhooks: {"webhook", "webhooks", catalogWebhookListDoc{},
			`{"id":"shop","url":"https://shop.example/laurel","events":["streak.*","level.reached"],"secret":"…3fK-9aQz"}`},
		catalog.Hooks: {"hook", "hooks", hookListDoc{},
			`{"id":"github","when":"header[\"X-GitHub-Event\"] == \"push\"","activity":{"user":"body.sender.login","name":"\"commit\"","id":"body.after"}}`},
	}[s.kind]
}
