package progress_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// decidable are the ids of definitions by kind, in the order of the model; there is none after the last.
func decidable(kind string) []string {
	return map[string][]string{"point": {"xp", "coins", "gems"}, "coupon": {"mug"}, "gift": {"coffee"}, "bounty": {"bug"}}[kind]
}

// kindOf makes an activity of another kind of what a record of the model says.
func kindOf(r *oracle.Record, a *activity.Activity) {
	if r.Kind == "" {
		return
	}
	if a.Kind = activity.Credit; r.Kind != "credit" {
		a.Kind, _ = activity.ParseKind(r.Kind)
	}
	r.Meta = map[string]any{}
	for name, v := range map[string]string{"action": r.Action, "of": r.Of, "to": r.To} {
		if v != "" {
			r.Meta[name] = v
		}
	}
}

// drawDecided makes an activity of another kind than behaviour: mostly of now, and of what was decided before.
func (u *user) drawDecided(s *scene, i int) oracle.Record {
	t := u.t
	r := drawRecord(t, s, i)
	if rapid.IntRange(0, 7).Draw(t, "when") < 6 {
		r.At = u.now.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 1, 20, 50, 250}).Draw(t, "ago")) * time.Hour).In(r.At.Location())
	}
	r.HasValue, r.Meta = true, nil
	r.Value = rapid.SampledFrom([]float64{0, 0.5, 1, 1.04, 2.5, 3, 7, 20}).Draw(t, "points")
	action := rapid.SampledFrom([]string{"point redeem", "bounty start", "point refund", "bounty cancel", "coupon redeem", "point increment", "coupon refund", "bounty award", "point redeem",
		"point refund", "bounty start", "bounty cancel", "gift ", "point set"}).Draw(t, "action")
	fmt.Sscan(action, &r.Kind, &r.Action)
	r.Def = rapid.IntRange(0, len(decidable(r.Kind))).Draw(t, "definition")
	if r.Def == len(decidable(r.Kind)) && rapid.IntRange(0, 7).Draw(t, "known") < 7 {
		r.Def--
	}
	if r.Name = "none"; r.Def < len(decidable(r.Kind)) {
		r.Name = decidable(r.Kind)[r.Def]
	}
	switch r.Action {
	case "refund", "cancel", "award":
		r.HasValue = r.Kind == "point" && rapid.Bool().Draw(t, "a part")
		u.drawOf(&r)
	}
	if r.Kind == "coupon" || r.Kind == "gift" {
		r.HasValue = false
	}
	if r.Kind == "gift" || r.Action == "award" {
		r.To = rapid.SampledFrom([]string{"v", "v", "v", "u"}).Draw(t, "to")
	}
	if !r.HasValue {
		r.Value = 0
	}
	return r
}

// drawOf draws what an activity is of: one of those that fit, mostly.
func (u *user) drawOf(r *oracle.Record) {
	begins := "redeem"
	if r.Kind == "bounty" {
		begins = "start"
	}
	r.Of = "nothing"
	var fitting []oracle.Record
	for _, d := range u.model.Records {
		if d.Kind == r.Kind && d.Action == begins || len(fitting) == 0 {
			fitting = append(fitting, d)
		}
	}
	fitting = fitting[max(0, len(fitting)-4):]
	if len(fitting) > 0 && rapid.IntRange(0, 9).Draw(u.t, "any") < 9 {
		of := fitting[rapid.IntRange(0, len(fitting)-1).Draw(u.t, "of")]
		if r.Of = of.ID; of.Kind == r.Kind && rapid.IntRange(0, 9).Draw(u.t, "same") < 9 {
			r.Name, r.Def = of.Name, of.Def
		}
	}
}

// decide decides an activity as ingest does, and compares with the model what is.
func (u *user) decide(s *scene, i int) {
	if rapid.IntRange(0, 7).Draw(u.t, "credited") == 7 {
		u.credit(s, i)
		return
	}
	r := u.drawDecided(s, i)
	r.Received = u.now
	act := activityOf(&r)
	known := oracle.Known{Sealed: u.sealed, ToFound: rapid.IntRange(0, 5).Draw(u.t, "found") < 5, Used: rapid.IntRange(0, 3).Draw(u.t, "used") == 3}
	facts := progress.Facts{ToFound: known.ToFound, Unissued: known.Used}
	facts.NoteRefund(u.log, activity.ID(r.Of))
	state := u.parse(u.state)
	before := string(state.Append(nil))
	made, err := progress.Decide(u.plan, state, &act, facts, u.instant())
	if again := string(state.Append(nil)); again != before {
		u.fatalf("deciding %v changed the state", r)
	}
	if errors.Is(err, progress.ErrNeedLog) {
		whole, failed := progress.Rebuild(u.plan, u.parse(u.state), u.parse(u.base), u.log, u.instant())
		if failed != nil {
			u.t.Fatal(failed)
		}
		made, err = progress.Decide(u.plan, whole, &act, facts, u.instant())
	}
	u.compareDecided(&r, known, made, err)
	if err == nil {
		act.Decided = made
		u.apply([]oracle.Record{r}, []activity.Activity{act})
	}
}

// compareDecided compares what was decided with what the model decides, and gives it to the record.
func (u *user) compareDecided(r *oracle.Record, known oracle.Known, made *activity.Decided, err error) {
	if want := u.expected(r); want != nil || u.parse(u.state).Blocked {
		if !errors.Is(err, want) || made != nil {
			u.fatalf("%v at %v: %v, want %v", r, u.now, err, want)
		}
		return
	}
	want, code := u.earner.Decide(r, known, u.now)
	got, refused := oracle.Decided{}, ""
	if refusal := (*progress.Refusal)(nil); errors.As(err, &refusal) {
		refused = refusal.Code
	} else if err != nil {
		u.fatalf("%v: %v", r, err)
	} else {
		got.Own, got.Other = u.moves(made.Own.Rows), u.moves(made.Other.Rows)
	}
	if diff := gocmp.Diff(want, got); diff != "" || code != refused {
		u.fatalf("%+v at %v, sealed %v: refused %q, want %q (%v) (-model +progress)\n%s", r, u.now, u.sealed, refused, code, err, diff)
	}
	r.Moves = got.Own
}

func (u *user) moves(rows []activity.Row) (moves []oracle.Move) {
	for _, row := range rows {
		i, some := u.catalog.Find(catalog.Wallets, row.Wallet)
		if !some || int(row.Decimals) != u.catalog.Wallets[i].Decimals {
			u.fatalf("a row of no wallet: %+v", row)
		}
		moves = append(moves, oracle.Move{Wallet: i, Type: rewards.RowType(row.Type).String(), Amount: row.Amount, Category: int(row.Category)})
	}
	return moves
}

// credit is what another user gives, or the close of a week, which comes after those of all weeks before.
func (u *user) credit(s *scene, i int) {
	r := drawRecord(u.t, s, i)
	r.Kind, r.Name, r.HasValue, r.Value, r.Meta = "credit", "coffee", false, 0, nil
	act := activityOf(&r)
	act.Decided = &activity.Decided{}
	if rapid.Bool().Draw(u.t, "close") {
		week := calendar.Cycle{Unit: calendar.Week}
		o, _ := u.plan.Calendar().OrdinalAt(week, act.At)
		period := u.plan.Calendar().PeriodOf(week, o)
		act.At = period.End + calendar.Instant((3 * 24 * time.Hour).Milliseconds())
		act.ID = activity.ID("rank:champion:" + period.Label)
		r.ID, r.At, r.Def, r.Achieved = string(act.ID), act.At.Time().In(r.At.Location()), 7, period.Label
		act.Decided.Own.Achieved = "champion:" + period.Label
	} else {
		row := activity.Row{Wallet: "coins", Decimals: 1, Type: uint8(rewards.Earn), Amount: 15}
		act.Decided.Own.Rows, r.Moves = []activity.Row{row}, u.moves([]activity.Row{row})
	}
	r.Received = u.now
	act.Received = u.instant()
	known := slices.ContainsFunc(u.model.Records, func(have oracle.Record) bool { return have.ID == r.ID })
	if !known && !r.At.After(u.now) && !r.At.Before(u.sealed) {
		u.apply([]oracle.Record{r}, []activity.Activity{act})
	}
}

// toggleDecided rejects or restores one of what is rejected, or rests on another.
func (u *user) toggleDecided() {
	var ids []activity.ID
	for _, r := range u.model.Records {
		if r.Rejected || r.Of != "" {
			ids = append(ids, activity.ID(r.ID))
		}
	}
	if len(ids) > 0 {
		id := rapid.SampledFrom(ids).Draw(u.t, "toggled")
		u.toggleAt(slices.IndexFunc(u.log, func(a activity.Activity) bool { return a.ID == id }))
	}
}

// fund gives the user something to spend.
func (u *user) fund() {
	for i, wallet := range decidable("point") {
		r := oracle.Record{ID: "fund " + wallet, User: "u", Kind: "point", Action: "increment", Name: wallet, Def: i, At: u.now, Received: u.now, Value: 9, HasValue: true}
		act := activityOf(&r)
		made, err := progress.Decide(u.plan, u.parse(u.state), &act, progress.Facts{}, u.instant())
		u.compareDecided(&r, oracle.Known{}, made, err)
		act.Decided = made
		u.apply([]oracle.Record{r}, []activity.Activity{act})
	}
}

// TestDecided_EqualsTheModel is dense in activities that are decided and rest on each other, with rejects, restores, other definitions and the seal.
func TestDecided_EqualsTheModel(t *testing.T) {
	all := scenes()
	rapid.Check(t, func(t *rapid.T) {
		s := all[rapid.IntRange(0, len(all)-1).Draw(t, "scene")]
		u := newUser(t, &s)
		u.earnedOnly, u.begin = true, s.begin
		u.silence()
		u.fund()
		for i := range rapid.IntRange(5, 40).Draw(t, "steps") {
			u.now = u.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 0, 5, 30, 400}).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 15).Draw(t, "step") {
			case 9, 10:
				u.toggle()
			case 11, 12:
				u.toggleDecided()
			case 13:
				u.fold(u.now.Add(-time.Duration(rapid.SampledFrom([]int{40, 0, 3, 300}).Draw(t, "seal")) * time.Hour))
			case 14:
				u.reward()
			case 15:
				u.submit([]oracle.Record{drawRecord(t, &s, 1000+i)})
			default:
				u.decide(&s, i)
			}
			u.check()
		}
	})
}

// mayToggle says whether a record may be rejected or restored, which the model tells by whether all is sound then.
func (u *user) mayToggle(i int) bool {
	a, state := &u.log[i], u.parse(u.state)
	if a.Kind == activity.Credit { // it goes, and comes back, with what it comes from
		if !errors.Is(state.CheckReject(u.log, i), progress.ErrCredit) || !errors.Is(state.CheckRestore(u.log, i), progress.ErrCredit) {
			u.fatalf("a credit may be rejected or restored by itself")
		}
		return true
	}
	var err error
	if a.Status == activity.Rejected {
		err = state.CheckRestore(u.log, i)
	} else {
		err = state.CheckReject(u.log, i)
	}
	at := slices.IndexFunc(u.model.Records, func(r oracle.Record) bool { return r.ID == string(a.ID) })
	r := &u.model.Records[at]
	r.Rejected = !r.Rejected
	sound := u.earner.Sound()
	r.Rejected = !r.Rejected
	if r.Rejected && r.Action == "refund" && !r.Ignored { // of what is sealed nothing is known
		sound = sound && slices.ContainsFunc(u.log, func(of activity.Activity) bool { return string(of.ID) == r.Of })
	}
	if sound != (err == nil) {
		u.fatalf("%+v, rejected %v: %v, sound then: %v", r, r.Rejected, err, sound)
	}
	return sound
}

// checkRows compares the sum of a wallet's rows with what is in it, as long as nothing is sealed.
func (u *user) checkRows(state *progress.State) {
	if !u.sealed.IsZero() || state.Plan == 0 {
		return
	}
	for i, w := range u.earner.Earned(u.now).Wallets {
		rows, err := state.WalletRows(u.plan, i, u.parse(u.base), u.log, u.instant())
		if err != nil {
			u.t.Fatal(err)
		}
		var sum int64
		for _, r := range rows {
			sum += r.Amount
		}
		if sum != w.Balance {
			u.fatalf("rows of wallet %d come to %d, in it are %d\n%+v", i, sum, w.Balance, rows)
		}
	}
}
