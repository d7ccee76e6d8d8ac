package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"laurel/internal/config"
)

const dayFiles = "testdata/day"

// TestServe_ADay plays a sheet that was worked out by hand: what is done goes in natively, and each number of the sheet is read natively and at every door that
// shows it.
func TestServe_ADay(t *testing.T) {
	onBothStores(t, func(t *testing.T, cfg config.Serve) {
		cfg.TestClock, cfg.Catalog = true, filepath.Join(dayFiles, "catalog.yaml")
		d := &day{testNode: startNode(t, cfg)}
		d.setClock(time.Date(2030, 10, 26, 7, 0, 0, 0, time.UTC))
		for user, profile := range map[string]string{
			"ada": `{"number":1001,"email":"ada@example.com","timezone":"Europe/Vienna","tags":["@Silver"]}`,
			"bob": `{"number":1002,"email":"bob@example.com","timezone":"America/New_York"}`,
			"cyd": `{"number":1003,"email":"cyd@example.com"}`,
		} {
			d.call("PUT", "/v1/users/"+user, profile)
		}
		sheet, err := os.Open(filepath.Join(dayFiles, "day.txt"))
		if err != nil {
			t.Fatal(err)
		}
		defer sheet.Close()
		for in := bufio.NewScanner(sheet); in.Scan(); {
			d.line(in.Text())
		}
		if d.done < 63 || d.compared < 300 {
			t.Errorf("%d things were done, %d numbers compared", d.done, d.compared)
		}
	})
}

// day is a server and what it was asked so far.
type day struct {
	*testNode
	done, compared int
	// known are the answers about a user since the last thing that was done.
	known map[string]map[string]any
}

const sheetTime = "2006-01-02T15:04Z07:00"

func (d *day) line(text string) {
	d.t.Helper()
	if fact, ok := strings.CutPrefix(text, "= "); ok {
		d.compare(fact)
		return
	}
	first, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(sheetTime, first)
	if err != nil { // words for people
		return
	}
	d.setClock(at)
	d.do(at, rest)
	d.known = map[string]map[string]any{}
	d.done++
}

func (d *day) setClock(now time.Time) {
	d.t.Helper()
	if status, text, _ := do(d.t, "PUT", d.admin+"/clock", `{"now":"`+now.Format(time.RFC3339)+`"}`); status != http.StatusNoContent {
		d.t.Fatalf("clock: %d %s", status, text)
	}
}

// call sends a request that must succeed.
func (d *day) call(method, path, body string) map[string]any {
	d.t.Helper()
	status, text, _ := do(d.t, method, d.base+path, body)
	if status >= 300 {
		d.t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	return object(d.t, text)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// do does what a line says: "user [late time] [kind/]name [value] [key=value …] [-> what comes of it]".
func (d *day) do(at time.Time, what string) {
	d.t.Helper()
	what, refused, _ := strings.Cut(what, " -> ")
	words := strings.Fields(what)
	switch {
	case words[0] == "nothing":
		return
	case words[1] == "reject" || words[1] == "restore":
		d.call("POST", "/v1/activities/"+words[0]+"/"+words[2]+"/"+words[1], `{}`)
		return
	case words[1] == "late":
		var err error
		if at, err = time.Parse(sheetTime, words[2]); err != nil {
			d.t.Fatal(err)
		}
		words = append(words[:1], words[3:]...)
	}
	status, text, _ := do(d.t, "POST", d.base+"/v1/activities", d.activity(at, words))
	answer := object(d.t, text)
	switch {
	case refused == "ignored" && answer["status"] == "ignored", refused == "" && answer["status"] == "accepted":
	case refused == "" || answer["code"] != refused || status != http.StatusUnprocessableEntity:
		d.t.Fatalf("%s %q is %d %s, the sheet says %q", at, what, status, text, refused)
	}
}

func (d *day) activity(at time.Time, words []string) string {
	kind, name, named := strings.Cut(words[1], "/")
	if !named {
		kind, name = "behaviour", words[1]
	}
	item := map[string]any{"id": fmt.Sprint("line ", d.done), "user": words[0], "kind": kind, "name": name, "at": at.Format(time.RFC3339)}
	meta := map[string]any{}
	for _, word := range words[2:] {
		key, value, isMeta := strings.Cut(word, "=")
		n, err := strconv.ParseFloat(value, 64)
		switch {
		case !isMeta:
			item["value"] = json.Number(word)
		case key == "id":
			item["id"] = value
		case value == "true":
			meta[key] = true
		case err == nil:
			meta[key] = n
		default:
			meta[key] = value
		}
	}
	if len(meta) > 0 {
		item["meta"] = meta
	}
	b, err := json.Marshal(item)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

// compare reads a fact: "user quantity: sum = number (words)". The sum must be the number, and so must what each door says.
func (d *day) compare(fact string) {
	d.t.Helper()
	name, rest, _ := strings.Cut(fact, ": ")
	sum, number, _ := strings.Cut(rest, " = ")
	number, _, _ = strings.Cut(number, " (")
	user, quantity, _ := strings.Cut(name, " ")
	want, err := strconv.ParseFloat(number, 64)
	if err != nil {
		d.t.Fatalf("%s: %v", fact, err)
	}
	value, err := types.Eval(token.NewFileSet(), nil, token.NoPos, sum)
	if err != nil {
		d.t.Fatalf("%s: %v", fact, err)
	}
	if f, _ := constant.Float64Val(constant.ToFloat(value.Value)); math.Abs(f-want) > 1e-9 {
		d.t.Errorf("%s: the sum is %v", fact, f)
	}
	sources := dayQuantities()[quantity]
	if len(sources) == 0 {
		d.t.Fatalf("%s: nobody shows this", fact)
	}
	for _, from := range sources {
		got := d.read(user, from)
		for wait := time.Now().Add(patience); got != want && time.Now().Before(wait); got = d.read(user, from) { // what others gave is on its way
			d.known = map[string]map[string]any{}
		}
		if got != want {
			d.t.Fatalf("%s: %s has %v", fact, from, got)
		}
		d.compared++
	}
}

// dayQuantities says where each quantity of the sheet is shown: a document, and the place in it.
func dayQuantities() map[string][]string {
	q := map[string][]string{
		"xp earned":          {"native wallets.wallet=xp.earned", "nudj stats.totalXP", "returning xp"},
		"xp today":           {"returning xpEarnedToday", "history daily_stats.0.xp", "history totals.xp"},
		"coins earned":       {"native wallets.wallet=coins.earned", "nudj stats.totalPoints"},
		"coins":              {"native wallets.wallet=coins.balance", "returning coins"},
		"coins today":        {"returning coinsEarnedToday", "history daily_stats.0.coins"},
		"visits":             {"native ranks.rule=visits cycle=all.score", "returning visitCount"},
		"messages":           {"native ranks.rule=messages cycle=all.score", "returning totalMessages"},
		"messages today":     {"stats daily_stats.0.messages", "stats totals.messages"},
		"replies":            {"native ranks.rule=replies cycle=all.score", "returning replySent"},
		"likes":              {"native ranks.rule=likes cycle=all.score", "returning totalReactions"},
		"seconds":            {"native ranks.rule=seconds cycle=all.score", "returning timeSpent"},
		"level":              {"native levels.level=tier.step", "nudj stats.currentLevel"},
		"login":              {"native streaks.rule=login.current", "nudj streaks.id=login.currentStreak", "returning loginStreak", "capillary targetRuleId=400 periodId=now.achievedValue", "streaks 0.currentStreak"},
		"login longest":      {"native streaks.rule=login.longest", "nudj streaks.id=login.longestStreak", "streaks 0.longestStreak"},
		"completions":        {"totals completions", "nudj stats.totalAchievements"},
		"missions completed": {"totals missions", "nudj stats.totalChallengesCompleted"},
		"rewards":            {"rewards total", "nudj stats.totalRewardsEarned"},
		"enrolled":           {"group enrolled", "capillary targetRuleId=365 periodId=now.totalUsersInTargetGroup"},
		"kpi day":            {"kpis cycle=day.percent"},
		"kpi week":           {"kpis cycle=week.percent"},
	}
	for _, sum := range []string{"spent", "redeemed", "refunded", "set"} {
		q["coins "+sum] = []string{"native wallets.wallet=coins." + sum}
	}
	for _, category := range []string{"knowledge", "creativity", "participation", "loyalty", "influence", "contribution"} {
		q[category] = []string{"native wallets.wallet=xp.categories." + category, "nudj xpBreakdown." + category}
	}
	for rule, number := range map[string]string{"visits": "365", "spend": "366"} {
		q["week "+rule] = []string{"native ranks.rule=" + rule + " cycle=week.score", "capillary targetRuleId=" + number + " periodId=now.achievedValue"}
		q["week "+rule+" rank"] = []string{"native ranks.rule=" + rule + " cycle=week.rank", "capillary targetRuleId=" + number + " periodId=now.rank"}
		q["last week "+rule] = []string{"before rule=" + rule + ".score", "capillary targetRuleId=" + number + " periodId=3173.achievedValue"}
		q["last week "+rule+" rank"] = []string{"before rule=" + rule + ".rank", "capillary targetRuleId=" + number + " periodId=3173.rank"}
	}
	return q
}

// read is a number of one of the documents about a user. What is not there is 0.
func (d *day) read(user, from string) float64 {
	d.t.Helper()
	name, path, _ := strings.Cut(from, " ")
	if d.known == nil || d.known[user+name] == nil {
		if d.known == nil {
			d.known = map[string]map[string]any{}
		}
		d.known[user+name] = map[string]any{"": d.fetch(user, name)}
	}
	v := d.known[user+name][""]
	for step := range strings.SplitSeq(path, ".") {
		v = follow(v, step)
	}
	n, _ := v.(float64)
	return n
}

// fetch reads a document about a user, down to what holds the numbers.
func (d *day) fetch(user, name string) any {
	d.t.Helper()
	email := user + "@example.com"
	numbers := map[string]string{"ada": "1001", "bob": "1002", "cyd": "1003"}
	switch name {
	case "native":
		return d.call("GET", "/v1/users/"+user, "")
	case "totals":
		return d.totals(user)
	case "before":
		return d.call("GET", "/v1/users/"+user+"/ranks?period=2030-W43", "")["ranks"]
	case "rewards":
		return d.call("GET", "/v1/users/"+user+"/rewards", "")
	case "group":
		return d.call("GET", "/v1/target-groups/crew", "")
	case "kpis":
		return d.call("GET", "/v1/users/"+user+"/kpis", "")["kpis"]
	case "returning":
		return d.call("POST", "/apis/v1/users/info", `{"idOrEmail":"`+email+`"}`)["data"]
	case "stats":
		return d.call("POST", "/apis/v1/users/activity/stats", `{"identifier":"`+user+`","days":1}`)["data"]
	case "history":
		return d.call("GET", "/apis/v1/users/activity/daily?days=1&identifier_type=email&identifier="+email, "")["data"]
	case "streaks":
		return d.call("GET", "/apis/v1/streaks/logs?streakId=login&identifier="+email, "")["data"]
	case "capillary":
		return d.capillary(numbers[user])
	}
	return d.nudj(email)
}

// totals counts what the native API shows one by one.
func (d *day) totals(user string) any {
	d.t.Helper()
	native := d.call("GET", "/v1/users/"+user, "")
	completions, missions := 0.0, 0.0
	for _, a := range native["achievements"].([]any) {
		completions += a.(map[string]any)["times"].(float64)
	}
	for _, m := range native["missions"].([]any) {
		if m.(map[string]any)["status"] == "completed" {
			missions++
		}
	}
	return map[string]any{"completions": completions, "missions": missions}
}

// capillary asks for the current period of every rule of the group, and for week 43. In its rows the current period is "now".
func (d *day) capillary(number string) any {
	d.t.Helper()
	var items []string
	for _, rule := range []string{"365", "366", "400"} {
		items = append(items, `{"targetGroupId":232,"targetRuleId":`+rule+`}`, `{"targetGroupId":232,"targetRuleId":`+rule+`,"periodId":3173}`)
	}
	rows := func(wanted []string) []any {
		data := d.call("POST", "/v3.1/leaderboards/user/"+number, "["+strings.Join(wanted, ",")+"]")["data"]
		return data.(map[string]any)["userRanks"].([]any)
	}
	var all []any
	for i, item := range items {
		for _, row := range rows([]string{item}) {
			if i%2 == 0 {
				row.(map[string]any)["periodId"] = "now"
			}
			all = append(all, row)
		}
	}
	return all
}

func (d *day) nudj(email string) any {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.base+"/api/v2/analytics/users/details?email="+email, http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("x-api-token", testKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		d.t.Fatal(answer.Status, string(b), err)
	}
	return object(d.t, string(b))
}

// follow takes one step into a document: a member by its name, an item by its index, or the item whose members have values ("rule=visits cycle=all").
func follow(v any, step string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(v) {
			return v[i]
		}
		for _, item := range v {
			fits := strings.Contains(step, "=")
			for want := range strings.FieldsSeq(step) {
				name, value, _ := strings.Cut(want, "=")
				fits = fits && fmt.Sprint(item.(map[string]any)[name]) == value
			}
			if fits {
				return item
			}
		}
	}
	return nil
}
