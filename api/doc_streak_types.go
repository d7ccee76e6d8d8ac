package api

// streakHistoryList is a range of the periods of a streak.
type streakHistoryList struct {
	Rule     string             `json:"rule"`
	First    string             `json:"first" doc:"The first period in which the user did anything for it; the open one where there is none"`
	OptedOut bool               `json:"opted_out,omitempty" doc:"There are no periods then; absent where not"`
	History  []streakHistoryDoc `json:"history" nullable:"false"`
}

// pastStreaksDoc is the streaks that ended.
type pastStreaksDoc struct {
	Rule     string          `json:"rule"`
	OptedOut bool            `json:"opted_out,omitempty" doc:"None is shown then; absent where not"`
	Total    int             `json:"total" doc:"How many there are"`
	Past     []pastStreakDoc `json:"past" nullable:"false"`
}

type pastStreakDoc struct {
	Length  int    `json:"length"`
	Start   string `json:"start" doc:"Label of the first met period"`
	End     string `json:"end" doc:"Label of the last one"`
	EndedAt string `json:"ended_at" format:"date-time"`
}

// explanationDoc is why periods are what they are.
type explanationDoc struct {
	Rule     string         `json:"rule"`
	OptedOut bool           `json:"opted_out,omitempty" doc:"There are no periods then; absent where not"`
	Periods  []explainedDoc `json:"periods" nullable:"false"`
}

type explainedDoc struct {
	Period     string         `json:"period" example:"2026-11-21"`
	Start      string         `json:"start" format:"date-time"`
	End        string         `json:"end" format:"date-time" doc:"Exclusive"`
	MetUntil   string         `json:"can_be_met_until" format:"date-time" doc:"Exclusive: end with grace, and with what a change of zone adds"`
	Timezone   string         `json:"timezone" doc:"In force then; of rules in mode event the offset of the latest activity"`
	Required   bool           `json:"required"`
	Exempt     string         `json:"exempt,omitempty" enum:"weekday,holiday,no_such_date" doc:"Why it is not required"`
	Status     string         `json:"status" enum:"met,frozen,paused,restored,inactive,missed,open"`
	Why        string         `json:"why" doc:"A sentence for people; its words may change"`
	Value      float64        `json:"value"`
	Target     float64        `json:"target"`
	Conditions []conditionDoc `json:"conditions,omitempty" nullable:"false" doc:"Where there are several"`
	MetAt      string         `json:"met_at,omitempty" format:"date-time"`
	Length     int            `json:"length" doc:"Of the streak after it was decided; 0 too where there was nothing to decide"`
	Held       int            `json:"freezes_held" doc:"Likewise"`
	Pause      string         `json:"pause,omitempty" doc:"The id of a pause of the user over it"`
	Outage     string         `json:"outage,omitempty" doc:"The id of a pause of the org over it"`
	Sealed     bool           `json:"sealed,omitempty" doc:"Activities of it may be summed up, and are not listed; absent where not"`
	Activities []givenDoc     `json:"activities" nullable:"false" doc:"Those that count for it"`
}

type givenDoc struct {
	ID      string `json:"id"`
	At      string `json:"at" format:"date-time"`
	Values  []any  `json:"values" nullable:"false" doc:"What it gives to each condition: a number, or to unique the value; null where it does not match"`
	Stamped string `json:"stamped,omitempty" doc:"The period that its time lies in, where it counts for an earlier one"`
}

// auditDoc is what was ordered for a user.
type auditDoc struct {
	Audit []auditEntryDoc `json:"audit" nullable:"false"`
}

type auditEntryDoc struct {
	At       string   `json:"at,omitempty" format:"date-time" doc:"Absent for the timezone that the user began with"`
	Type     string   `json:"type" enum:"timezone_set,paused,pause_ended,freezes_granted,restored,target_set,target_removed,opted_out,opted_in"`
	Rule     string   `json:"rule,omitempty"`
	Timezone string   `json:"timezone,omitempty"`
	Pause    string   `json:"pause,omitempty" doc:"Its id"`
	From     string   `json:"from,omitempty" doc:"The first date of a pause; the first period that is restored, that freezes can cover, or in which a target counts"`
	To       string   `json:"to,omitempty" doc:"The last date of a pause, the last period that is restored"`
	Count    int      `json:"count,omitempty"`
	Target   *float64 `json:"target,omitempty" nullable:"false"`
	Reason   string   `json:"reason,omitempty"`
}

// previewDoc is a definition to be tried.
type previewDoc struct {
	Streak definitionDoc `json:"streak" doc:"As in the catalog; the id may be left out"`
	User   string        `json:"user" minLength:"1" maxLength:"128"`
	At     string        `json:"at,omitempty" format:"date-time" doc:"As of this time; left out: now"`
}
