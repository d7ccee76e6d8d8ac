package deployment

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"laurel/internal/oracle"
)

// definitions is what the nodes start with; rules and streakRules say the same to the model.
const definitions = `
orgs:
  - id: shop
    timezone: Europe/Vienna
    rules:
      - {id: visits, when: {name: visit}, value: count, cycles: [day, week, month, all]}
      - {id: points, when: {name: visit}, value: {sum: meta.points}, cycles: [week, all], ties: standard}
      - {id: best, when: {name: visit}, value: {max: meta.points}, cycles: [month, all], ties: dense}
      - {id: least, when: {name: visit}, value: {min: meta.points}, order: asc, cycles: [week], ties: standard}
      - {id: latest, when: {name: visit}, value: {last: meta.points}, cycles: [all]}
      - {id: places, when: {name: visit}, value: {unique: meta.place}, cycles: [month]}
    wallets:
      - {id: coins}
    awards:
      - {id: visiting, when: {name: visit}, wallet: coins, points: meta.points}
    streaks:
      - {id: daily, when: {name: visit}, unit: day, timezone: user, target: 1}
      - {id: weekly, when: {name: visit}, unit: week, timezone: org, target: 2}
`

func rules() (rules []oracle.Rule, ties map[string]string) {
	points := func(r *oracle.Record) (float64, bool) { return float64(r.Meta["points"].(int)), true }
	place := func(r *oracle.Record) (string, bool) { return r.Meta["place"].(string), true }
	cycles := func(units ...string) (cs []oracle.Cycle) {
		for _, u := range units {
			cs = append(cs, oracle.Cycle{Unit: u})
		}
		return cs
	}
	return []oracle.Rule{
		{ID: "visits", Selector: oracle.Selector{Fold: "count"}, Cycles: cycles("day", "week", "month", "all")},
		{ID: "points", Selector: oracle.Selector{Fold: "sum", Number: points}, Cycles: cycles("week", "all")},
		{ID: "best", Selector: oracle.Selector{Fold: "max", Number: points}, Cycles: cycles("month", "all")},
		{ID: "least", Selector: oracle.Selector{Fold: "min", Number: points}, Cycles: cycles("week"), Ascending: true},
		{ID: "latest", Selector: oracle.Selector{Fold: "last", Number: points}, Cycles: cycles("all")},
		{ID: "places", Selector: oracle.Selector{Fold: "unique", Text: place}, Cycles: cycles("month")},
	}, map[string]string{"points": "standard", "best": "dense", "least": "standard"}
}

func streakRules() []oracle.Streak {
	count := func(n int64) []oracle.Condition {
		return []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: n}}
	}
	return []oracle.Streak{
		{ID: "daily", Conditions: count(1), Unit: oracle.Cycle{Unit: "day"}, Mode: "user"},
		{ID: "weekly", Conditions: count(2), Unit: oracle.Cycle{Unit: "week"}, Mode: "org"},
	}
}

// world is what the store must have: the records and zone changes that were acknowledged and not lost since.
type world struct {
	mu sync.Mutex
	// history counts the beginnings and the ends of losses: it is odd while one is under way. Of a write that began in one history and was answered in
	// another nobody can say what became of it, so it is sent again.
	history int
	known
}

// known is a state of the world.
type known struct {
	records map[string]oracle.Record
	zones   map[string][]oracle.ZoneChange
	hidden  map[string]bool
}

func newWorld() *world {
	return &world{known: known{map[string]oracle.Record{}, map[string][]oracle.ZoneChange{}, map[string]bool{}}}
}

func (k known) clone() known {
	return known{maps.Clone(k.records), maps.Clone(k.zones), maps.Clone(k.hidden)}
}

func (w *world) now() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.history
}

// change does do if nothing was lost since the world was in this history, and says whether it did.
func (w *world) change(history int, do func(k known)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.history != history || history%2 == 1 {
		return false
	}
	do(w.known)
	return true
}

// lose has the store go back to a state.
func (w *world) lose(to known, do func()) {
	w.mu.Lock()
	w.history++
	w.known = to.clone()
	w.mu.Unlock()
	do()
	w.mu.Lock()
	w.history++
	w.mu.Unlock()
}

// snapshot is a copy of what is known now.
func (w *world) snapshot() known {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clone()
}

// balances is what each user's wallet must hold.
func (k known) balances() map[string]float64 {
	sums := map[string]float64{}
	for _, r := range k.records {
		if points, _ := r.Meta["points"].(int); !r.Rejected {
			sums[r.User] += float64(points)
		}
	}
	return sums
}

// row is a row as nodes show it.
type row struct {
	Rank      int    `json:"rank"`
	User      string `json:"user"`
	Score     int64  `json:"score"`
	ReachedAt string `json:"reached_at"`
}

// boards is every board that there must be, by rule and label.
func (k known) boards(now time.Time) map[string][]row {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		panic(err)
	}
	records := slices.SortedFunc(maps.Values(k.records), func(a, b oracle.Record) int { return a.At.Compare(b.At) })
	records = slices.DeleteFunc(records, func(r oracle.Record) bool { return k.hidden[r.User] })
	m := &oracle.Model{Org: oracle.Org{Zone: vienna, WeekStart: time.Monday, CloseGrace: 35 * 24 * time.Hour}, Records: records, Zones: k.zones}
	boards := map[string][]row{}
	rules, ties := rules()
	for i := range rules {
		for _, c := range rules[i].Cycles {
			for label, rows := range m.Boards(&rules[i], c) {
				boards[rules[i].ID+"/"+label] = wireRows(rows, ties[rules[i].ID])
			}
		}
	}
	maps.Copy(boards, streakBoards(m, now))
	return boards
}

func streakBoards(m *oracle.Model, now time.Time) map[string][]row {
	lengths := map[string][]oracle.Row{}
	users := map[string][]oracle.Record{}
	for _, r := range m.Records {
		users[r.User] = append(users[r.User], r)
	}
	for user, own := range users {
		alone := &oracle.Model{Org: m.Org, Records: own, Zones: m.Zones}
		for _, rule := range streakRules() {
			v := alone.Streak(&rule, user, now)
			for board, span := range map[string]oracle.Span{rule.ID + ".current/all": v.Current, rule.ID + ".longest/all": v.Longest} {
				if span.Length > 0 {
					lengths[board] = append(lengths[board], oracle.Row{User: user, Value: int64(span.Length), Reached: span.Reached})
				}
			}
		}
	}
	boards := map[string][]row{}
	for board, rows := range lengths {
		oracle.Rank(rows, false)
		boards[board] = wireRows(rows, "")
	}
	return boards
}

func wireRows(rows []oracle.Row, ties string) []row {
	out := make([]row, len(rows))
	for i, r := range rows {
		rank := r.Ordinal
		switch ties {
		case "standard":
			rank = r.Standard
		case "dense":
			rank = r.Dense
		}
		out[i] = row{rank, r.User, r.Value, r.Reached.UTC().Format("2006-01-02T15:04:05.000Z")}
	}
	return out
}

// wire is the record as a client sends it.
func wire(r *oracle.Record) string {
	return fmt.Sprintf(`{"id":%q,"user":%q,"name":%q,"at":%q,"meta":{"points":%d,"place":%q}}`,
		r.ID, r.User, r.Name, r.At.Format(time.RFC3339), r.Meta["points"], r.Meta["place"])
}
