package api

// The types in this file describe what other packages write: they are never encoded, only turned into schemas, and tests hold
// real answers against those schemas.

// activityIn is one item of a request.
type activityIn struct {
	ID    string         `json:"id,omitempty" minLength:"1" maxLength:"128" doc:"Unique for the user; sending it again has no effect. Left out: one is made" example:"c1"`
	User  string         `json:"user" minLength:"1" maxLength:"128" doc:"Your own id of the user" example:"ada"`
	Kind  string         `json:"kind,omitempty" enum:"behaviour,point,coupon,gift,bounty" doc:"Left out: behaviour"`
	Name  string         `json:"name" minLength:"1" maxLength:"128" doc:"Of the behaviour; of point, coupon, gift and bounty the id of the wallet, the reward, the gift, the bounty" example:"commit"`
	Value float64        `json:"value,omitempty" minimum:"-9007199254740992" maximum:"9007199254740992" doc:"The points, with point and the start of a bounty"`
	Meta  map[string]any `json:"meta,omitempty" doc:"Up to 4 KiB, 4 levels deep. With point: action (increment, redeem, set; refund with of, the id of a redeem); with coupon: action (redeem; refund with of); with gift: to, a user; with bounty: action (start; cancel with of, the id of the start; award with of and to)"`
	At    string         `json:"at,omitempty" format:"date-time" doc:"When it happened; left out: now"`
}

// batchDoc is the answer to a batch.
type batchDoc struct {
	Accepted   int         `json:"accepted"`
	Duplicates int         `json:"duplicates"`
	Rejected   int         `json:"rejected"`
	Ignored    int         `json:"ignored" doc:"Stored without effect: blocked, opted out, cool-off, cap"`
	Durability string      `json:"durability" enum:"memory,everysec,fsync,replicated" doc:"What the accepted activities have survived to"`
	Revision   string      `json:"revision" doc:"Opaque: pass it as min_revision to read what this wrote"`
	Results    []resultDoc `json:"results" nullable:"false" doc:"What was not accepted, and what came too late for some period; with results=all every item"`
}

// resultDoc is what became of one item.
type resultDoc struct {
	Index  int           `json:"index" doc:"Place in the request, from 0"`
	ID     string        `json:"id,omitempty"`
	Status string        `json:"status" enum:"accepted,duplicate,rejected,ignored"`
	Error  *itemErrorDoc `json:"error,omitempty"`
	// ClosedFor makes an accepted item be listed without results=all.
	ClosedFor []closedFor `json:"closed_for,omitempty" nullable:"false" doc:"Periods in which it came too late to count; it counts everywhere else"`
}

// itemErrorDoc says why an item was refused.
type itemErrorDoc struct {
	Code   string `json:"code" example:"too_old"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty" example:"at"`
}

// periodDoc is a period; cycle all has neither start nor end.
type periodDoc struct {
	Label  string `json:"label" example:"2026-W47"`
	Start  string `json:"start,omitempty" format:"date-time"`
	End    string `json:"end,omitempty" format:"date-time" doc:"Exclusive"`
	Closed bool   `json:"closed" doc:"Late activities no longer count in it"`
}

// rowDoc is one place on a leaderboard.
type rowDoc struct {
	Rank         int         `json:"rank" minimum:"1"`
	User         string      `json:"user" example:"ada"`
	Score        float64     `json:"score"`
	ReachedAt    string      `json:"reached_at" format:"date-time"`
	PreviousRank int         `json:"previous_rank,omitempty" doc:"In the period before; absent if none"`
	Profile      *profileDoc `json:"profile,omitempty" doc:"With fields=profile; absent if the user has none"`
}

// leaderboardDoc is a part of a leaderboard.
type leaderboardDoc struct {
	Rule     string       `json:"rule" example:"commits"`
	Segment  string       `json:"segment,omitempty" example:"AT" doc:"Whose board it is; absent for everyone's"`
	Cycle    string       `json:"cycle" example:"week"`
	Period   periodDoc    `json:"period"`
	Order    string       `json:"order" enum:"asc,desc"`
	Ties     string       `json:"ties" enum:"ordinal,standard,dense"`
	Pending  bool         `json:"pending,omitempty" doc:"Still being filled from the activity logs; absent once it is whole"`
	Total    int          `json:"total"`
	Count    *int         `json:"count,omitempty" nullable:"false" doc:"Rows that min_score, max_score or top_percent leave; absent without them"`
	Place    *placeDoc    `json:"place,omitempty" nullable:"false" doc:"What the rows are around, with around_score and percentile"`
	AsOf     string       `json:"as_of" format:"date-time" doc:"Instant of the last change applied"`
	Revision string       `json:"revision"`
	Rows     []rowDoc     `json:"rows" nullable:"false"`
	Next     string       `json:"next,omitempty" doc:"Pass it as cursor to get the next rows; absent at the end"`
	User     nullableRank `json:"user,omitempty"`
}

// placeDoc is a place that was asked for.
type placeDoc struct {
	Rank       int     `json:"rank" minimum:"1" doc:"With around_score: the rank of one who came to the score now"`
	Score      float64 `json:"score" doc:"With percentile: the score that is needed for it"`
	User       string  `json:"user,omitempty" doc:"With percentile: who is there"`
	Percentile float64 `json:"percentile,omitempty" minimum:"0" maximum:"100" doc:"Of that user"`
}

// countDoc is how many users have a score in a range.
type countDoc struct {
	Count int `json:"count" example:"120"`
	Total int `json:"total" example:"4000"`
}

// boardSetDoc is several boards.
type boardSetDoc struct {
	AsOf     string        `json:"as_of" format:"date-time"`
	Revision string        `json:"revision"`
	Boards   []boardAnswer `json:"boards" nullable:"false" doc:"One a query, in order"`
}

// boardErrorDoc stands for a board that could not be read.
type boardErrorDoc struct {
	Error itemErrorDoc `json:"error"`
}

// rankDoc is one user's place.
type rankDoc struct {
	Rank       int          `json:"rank" minimum:"1"`
	User       string       `json:"user"`
	Score      float64      `json:"score"`
	ReachedAt  string       `json:"reached_at" format:"date-time"`
	Profile    *profileDoc  `json:"profile,omitempty" doc:"With fields=profile; absent if the user has none"`
	Segment    string       `json:"segment,omitempty" doc:"Whose board it is; absent for everyone's"`
	Total      int          `json:"total"`
	Percentile float64      `json:"percentile" minimum:"0" maximum:"100"`
	Previous   *previousDoc `json:"previous,omitempty"`
	Around     []rowDoc     `json:"around,omitempty" nullable:"false"`
}

// previousDoc is the user's place in the period before.
type previousDoc struct {
	Label string  `json:"label"`
	Rank  int     `json:"rank"`
	Score float64 `json:"score"`
}

// ranksDoc is the places of many users.
type ranksDoc struct {
	Rows    []rowDoc `json:"rows" nullable:"false" doc:"In board order"`
	Missing []string `json:"missing" nullable:"false" doc:"Users that are unknown or not on this board"`
	Total   int      `json:"total" doc:"Users among whom the ranks are: of the board or, if relative, of rows"`
	Segment string   `json:"segment,omitempty" doc:"Whose board it is; absent for everyone's"`
}

// streakDoc is a user's streak of one rule.
type streakDoc struct {
	Rule           string             `json:"rule" example:"daily-commit"`
	Current        int                `json:"current"`
	Longest        int                `json:"longest"`
	LongestSpan    *spanDoc           `json:"longest_span,omitempty"`
	TotalPeriods   int                `json:"total_periods"`
	State          string             `json:"state" enum:"paused,frozen,broken,none,at_risk,active"`
	Unit           string             `json:"unit" example:"day"`
	Timezone       string             `json:"timezone" example:"Europe/Vienna"`
	Started        string             `json:"started,omitempty"`
	LastExtendedAt string             `json:"last_extended_at,omitempty" format:"date-time"`
	Deadline       string             `json:"deadline,omitempty" format:"date-time"`
	DiesAt         string             `json:"dies_at,omitempty" format:"date-time" doc:"The deadline counting freezes"`
	Target         *float64           `json:"target,omitempty" nullable:"false" doc:"The user's own, once set; absent where it is the rule's"`
	OptedOut       bool               `json:"opted_out,omitempty" doc:"The user wants no such streak; absent where not"`
	Pending        bool               `json:"pending,omitempty" doc:"The rule was changed and this user not counted anew yet; absent where not"`
	Lost           *lostDoc           `json:"lost,omitempty" doc:"The streak that was lost last; absent where none was"`
	Period         streakPeriodDoc    `json:"period"`
	Freezes        freezesDoc         `json:"freezes"`
	History        []streakHistoryDoc `json:"history" nullable:"false"`
	Since          string             `json:"since,omitempty" format:"date-time" doc:"Of a preview: activities before it are summed up and cannot be seen; absent where all are"`
}

// lostDoc is the streak that was lost last.
type lostDoc struct {
	Length          int    `json:"length"`
	Start           string `json:"start" doc:"Label of the first met period"`
	End             string `json:"end" doc:"Label of the last one"`
	At              string `json:"at" format:"date-time" doc:"When it ended"`
	RestorableUntil string `json:"restorable_until,omitempty" format:"date-time" doc:"Absent where it cannot be restored, or not any more"`
}

type spanDoc struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type freezesDoc struct {
	Held int `json:"held"`
	Used int `json:"used"`
	Max  int `json:"max"`
}

type streakPeriodDoc struct {
	Label      string         `json:"label"`
	Value      float64        `json:"value"`
	Target     float64        `json:"target"`
	Met        bool           `json:"met"`
	Conditions []conditionDoc `json:"conditions,omitempty" nullable:"false" doc:"Where there are several"`
}

type streakHistoryDoc struct {
	Period     string         `json:"period" example:"2026-11-21"`
	Status     string         `json:"status" enum:"met,frozen,paused,restored,inactive,missed,open"`
	Value      float64        `json:"value"`
	Target     float64        `json:"target"`
	Conditions []conditionDoc `json:"conditions,omitempty" nullable:"false"`
}

type conditionDoc struct {
	Value  float64 `json:"value"`
	Target float64 `json:"target"`
}

// streaksDoc is all streaks of a user.
type streaksDoc struct {
	Streaks []streakDoc `json:"streaks" nullable:"false"`
}

// leaderboardListDoc is the rules of an org.
type leaderboardListDoc struct {
	Leaderboards []leaderboardRuleDoc `json:"leaderboards" nullable:"false"`
	Backfill     *backfillDoc         `json:"backfill,omitempty" doc:"There while users are made to follow a changed catalog"`
}

type backfillDoc struct {
	UsersDone int `json:"users_done"`
}

type leaderboardRuleDoc struct {
	Rule      string     `json:"rule" example:"commits"`
	Order     string     `json:"order" enum:"asc,desc"`
	Ties      string     `json:"ties" enum:"ordinal,standard,dense"`
	Cycles    []cycleDoc `json:"cycles" nullable:"false"`
	Pending   bool       `json:"pending" doc:"Still being filled from the activity logs"`
	SegmentBy string     `json:"segment_by,omitempty" example:"user.country" doc:"There is also a board for each value of this attribute"`
	Segments  []string   `json:"segments,omitempty" nullable:"false" doc:"The values that have boards"`
}

type cycleDoc struct {
	Cycle  string     `json:"cycle" example:"week"`
	Period *periodDoc `json:"period,omitempty" doc:"The one that runs now; absent between listed periods"`
}

// statsDoc counts what a user has. Kinds that the org does not define are absent.
type statsDoc struct {
	Activities   *statDoc `json:"activities,omitempty" nullable:"false" doc:"That count"`
	Ignored      int      `json:"ignored,omitempty" doc:"Activities that are stored without effect; absent where there are none"`
	Achievements *statDoc `json:"achievements,omitempty" nullable:"false" doc:"Completions"`
	Levels       *statDoc `json:"levels,omitempty" nullable:"false" doc:"Steps"`
	Missions     *statDoc `json:"missions,omitempty" nullable:"false" doc:"Completed ones"`
	KPIs         *statDoc `json:"kpis,omitempty" nullable:"false" doc:"Targets that are met in the periods of now; in the last month: in periods that ended in it, or run"`
	Rewards      *statDoc `json:"rewards,omitempty" nullable:"false" doc:"Grants that were not bought"`
	Coupons      *statDoc `json:"coupons,omitempty" nullable:"false" doc:"Grants that were bought"`
	Gifts        *statDoc `json:"gifts,omitempty" nullable:"false" doc:"Received, and not taken back"`
}

type statDoc struct {
	Total     int  `json:"total"`
	LastMonth *int `json:"last_month,omitempty" nullable:"false" doc:"With stats=month: of those that came in the last month; absent where that is sealed"`
}

type enrolledDoc struct {
	TargetGroup string `json:"target_group"`
	Since       string `json:"since" format:"date-time"`
}

// userDoc is everything about a user.
type userDoc struct {
	ID         string            `json:"id"`
	CreatedAt  string            `json:"created_at,omitempty" format:"date-time" doc:"When the user was first heard of"`
	Timezone   string            `json:"timezone,omitempty" example:"Europe/Vienna"`
	Profile    *personDoc        `json:"profile,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Hidden     bool              `json:"hidden,omitempty" doc:"Taken off every leaderboard; absent where not"`
	Blocked    bool              `json:"blocked,omitempty" doc:"Activities are stored as ignored; absent where not"`
	Stats      *statsDoc         `json:"stats,omitempty" nullable:"false" doc:"How many of what the user has"`
	Groups     []enrolledDoc     `json:"target_groups,omitempty" nullable:"false" doc:"In which the user is enrolled"`
	Streaks    []streakDoc       `json:"streaks" nullable:"false"`
	// What the org does not define is left out.
	Wallets      []walletDoc      `json:"wallets,omitempty"`
	Levels       []levelDoc       `json:"levels,omitempty"`
	Achievements []achievementDoc `json:"achievements,omitempty"`
	Missions     []missionDoc     `json:"missions,omitempty"`
	Ranks        []boardRankDoc   `json:"ranks" nullable:"false"`
}

// personDoc is all that is known of a user beside numbers.
type personDoc struct {
	Name       string         `json:"name,omitempty" example:"Ada L." doc:"As shown where profiles are asked for"`
	Picture    string         `json:"picture,omitempty" example:"https://shop.example/ada.png"`
	Number     int64          `json:"number,omitempty" example:"4711"`
	Username   string         `json:"username,omitempty" example:"ada"`
	Email      string         `json:"email,omitempty" example:"ada@shop.example"`
	ExternalID string         `json:"external_id,omitempty" example:"crm-18"`
	FirstName  string         `json:"first_name,omitempty" example:"Ada"`
	LastName   string         `json:"last_name,omitempty" example:"Lovelace"`
	Mobile     string         `json:"mobile,omitempty" example:"+436601234567"`
	Language   string         `json:"language,omitempty" example:"de"`
	Country    string         `json:"country,omitempty" example:"AT"`
	Tags       []string       `json:"tags,omitempty" nullable:"false"`
	Fields     map[string]any `json:"fields,omitempty" doc:"Custom fields of the catalog's users.fields"`
	Settings   map[string]any `json:"settings,omitempty"`
}

// profileDoc is what is shown of a user beside numbers.
type profileDoc struct {
	Name    string `json:"name,omitempty" example:"Ada L."`
	Picture string `json:"picture,omitempty" example:"https://shop.example/ada.png"`
}

// userRanksDoc is a user's ranks on the current boards.
type userRanksDoc struct {
	Ranks []boardRankDoc `json:"ranks" nullable:"false" doc:"Boards that the user is not on are left out"`
}

type boardRankDoc struct {
	Rule         string  `json:"rule"`
	Segment      string  `json:"segment,omitempty" doc:"Whose board it is; absent for everyone's"`
	Cycle        string  `json:"cycle"`
	Label        string  `json:"label"`
	Rank         int     `json:"rank" minimum:"1"`
	Score        float64 `json:"score"`
	ReachedAt    string  `json:"reached_at" format:"date-time"`
	Total        int     `json:"total"`
	PreviousRank int     `json:"previous_rank,omitempty"`
}

// catalogDoc is any object.
type catalogDoc struct {
	_ struct{} `additionalProperties:"true"`
}
