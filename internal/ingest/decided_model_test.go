package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/rewards"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// decidedDefinitions are of orgs in which points are earned, spent and expire; the second argument is what an award gives.
const decidedDefinitions = `
orgs:
  - id: %s
    timezone: Europe/Berlin
    limits: {max_past: 20d, close_grace: 10d, log_days: 20}
    wallets: [{id: xp}, {id: coins, decimals: 1, expires: {days: 4}}]
    awards: [{id: a, when: {name: a}, wallet: coins, points: %v}]
    achievements: [{id: two, when: {name: a}, at_least: 2, per: week, points: [{wallet: xp, points: 4}]}]
    gifts: [{id: coffee, cost: {wallet: coins, points: 1.5}, gives: {wallet: xp, points: 2}}]
    bounties: [{id: bug, wallet: xp, min: 1, max: 3}]
    rewards: [{id: mug, price: {wallet: coins, points: 2}}]
`

func decidedEarner(t interface{ Fatal(...any) }) *oracle.Earner {
	return &oracle.Earner{Model: newModel(t), User: "u", Noted: map[string]time.Time{}, Final: map[string]bool{}, Starts: map[int][]time.Time{}, Earning: oracle.Earning{
		Wallets: []oracle.Wallet{{}, {Days: 4, Decimals: 1}},
		Awards:  []oracle.Award{{Selector: decidedAward(2.5), Wallet: 1}},
		Achievements: []oracle.Achievement{{Criteria: []oracle.Criterion{{Condition: oracle.Condition{Selector: oracle.Selector{Match: inNames("a"), Fold: "count"}, AtLeast: 2}}},
			Per: oracle.Cycle{Unit: "week"}, Points: []oracle.Points{{Wallet: 0, Amount: 4}}}},
		Gifts:    []oracle.Gift{{Cost: oracle.Points{Wallet: 1, Amount: 15}, Gives: oracle.Points{Wallet: 0, Amount: 2}}},
		Bounties: []oracle.Bounty{{Wallet: 0, Min: 1, Max: 3}},
		Coupons:  []oracle.Points{{Wallet: 1, Amount: 20}},
	}}
}

func decidedAward(points float64) oracle.Selector {
	return oracle.Selector{Match: inNames("a"), Fold: "sum", Decimals: 1, Number: func(*oracle.Record) (float64, bool) { return points, true }}
}

// bank is an org whose one user is written by several nodes in turn, and its model.
type bank struct {
	t      *rapid.T
	nodes  []*node
	org    activity.Org
	earner *oracle.Earner
	now    time.Time
	award  float64
}

func (b *bank) node() *node { return b.nodes[rapid.IntRange(0, len(b.nodes)-1).Draw(b.t, "node")] }

func (b *bank) advance(d time.Duration) {
	b.now = b.now.Add(d)
	for _, n := range b.nodes {
		n.set(b.now)
	}
}

// state is the user's, the zero one for a user who is not there yet.
func (b *bank) state(n *node) *progress.State {
	s, err := n.State(context.Background(), b.org, "u")
	if errors.Is(err, ingest.ErrUserNotFound) {
		return &progress.State{}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bank) sealed() time.Time {
	if at := b.state(b.nodes[0]).Sealed; at != 0 {
		return at.Time()
	}
	return time.Time{}
}

var bankNames = map[string][]string{"point": {"xp", "coins"}, "gift": {"coffee"}, "bounty": {"bug"}, "coupon": {"mug"}}

// draw makes an activity; those that rest on others rest on one of the last that fit.
func (b *bank) draw(i int) oracle.Record {
	t := b.t
	r := oracle.Record{ID: fmt.Sprint("i", i), User: "u", Name: "a", Received: b.now,
		At: b.now.Add(-time.Duration(rapid.SampledFrom([]int{0, 0, 0, 30, 110, 250, 470, 490}).Draw(t, "ago")) * time.Hour).UTC()}
	action := rapid.SampledFrom([]string{"point refund", "point redeem", "bounty cancel", "bounty start", "coupon refund", "coupon redeem", "gift", "", "bounty award", "point increment", "point set"}).Draw(t, "action")
	if fmt.Sscan(action, &r.Kind, &r.Action); r.Kind == "" {
		return r
	}
	r.Def = rapid.IntRange(0, len(bankNames[r.Kind])-1).Draw(t, "definition")
	if r.HasValue = r.Kind != "gift" && r.Kind != "coupon" && r.Action != "cancel" && r.Action != "award" && (r.Action != "refund" || rapid.Bool().Draw(t, "a part")); r.HasValue {
		r.Value = rapid.SampledFrom([]float64{1, 2, 0.5, 3, 8}).Draw(t, "value")
	}
	if r.Action == "award" || r.Kind == "gift" {
		r.To = "v"
	}
	if begins := map[string]string{"refund": "redeem", "cancel": "start", "award": "start"}[r.Action]; begins != "" {
		r.Of = "none"
		for _, d := range b.earner.Records {
			if d.Kind == r.Kind && d.Action == begins && rapid.Bool().Draw(t, "of") {
				r.Of, r.Def = d.ID, d.Def
			}
		}
	}
	r.Name = bankNames[r.Kind][r.Def]
	return r
}

func bankItem(r *oracle.Record) ingest.Item {
	it := item(r)
	it.Activity.Kind, _ = activity.ParseKind(r.Kind)
	meta := map[string]string{}
	for name, v := range map[string]string{"action": r.Action, "of": r.Of, "to": r.To} {
		if v != "" {
			meta[name] = v
		}
	}
	if len(meta) > 0 {
		it.Activity.Meta, _ = json.Marshal(meta)
	}
	return it
}

// send sends an activity, compares what became of it with what the model decides, and sends it again.
func (b *bank) send(r oracle.Record) {
	want, sealed := "accepted", b.sealed()
	var decided oracle.Decided
	switch {
	case r.At.Before(sealed), r.At.Before(b.now.Add(-20 * 24 * time.Hour)):
		want = "too_old"
	case r.Kind != "":
		var refused string
		if decided, refused = b.earner.Decide(&r, oracle.Known{Sealed: sealed, ToFound: true}, b.now); refused != "" {
			want = refused
		}
	}
	for k, want := range []string{want, map[bool]string{true: "duplicate", false: want}[want == "accepted"]} {
		report, err := b.node().Submit(context.Background(), b.org, []ingest.Item{bankItem(&r)}, ingest.SubmitOptions{Effects: true})
		if err != nil {
			b.t.Fatal(err)
		}
		if got := statuses(report)[0]; got != want {
			b.fatalf("%+v, sent %d times before: %s, want %s", r, k, got, want)
		}
		if a := report.Outcomes[0].Activity; a != nil {
			r.Moves = b.moves(a.Decided)
			if diff := cmp.Diff(decided.Own, r.Moves); diff != "" {
				b.fatalf("%+v was decided otherwise (-model +ingest)\n%s", r, diff)
			}
		}
	}
	if want == "accepted" {
		b.earner.Records = append(b.earner.Records, r)
	}
}

func (b *bank) moves(d *activity.Decided) (moves []oracle.Move) {
	if d == nil {
		return nil
	}
	for _, row := range d.Own.Rows {
		moves = append(moves, oracle.Move{Wallet: slices.Index(bankNames["point"], row.Wallet), Type: rewards.RowType(row.Type).String(), Amount: row.Amount})
	}
	return moves
}

// toggle rejects or restores one, which must go as far as all that gives back has something to give back then.
func (b *bank) toggle() {
	if len(b.earner.Records) == 0 {
		return
	}
	of := make([]int, 0, 2*len(b.earner.Records)) // those that others rest on, or that rest on others, count twice
	for i, r := range b.earner.Records {
		if of = append(of, i); r.Kind != "" && r.Action != "increment" {
			of = append(of, i)
		}
	}
	r := &b.earner.Records[rapid.SampledFrom(of).Draw(b.t, "toggled")]
	sealed := b.sealed()
	r.Rejected = !r.Rejected
	may := b.earner.Sound() && !r.At.Before(sealed)
	if r.To != "" { // what another has received is sealed after 20 days, and may be a day before
		may = may && !r.At.Before(b.now.Add(-19*24*time.Hour))
	}
	if r.Action == "refund" && !r.Rejected {
		may = may && slices.ContainsFunc(b.earner.Records, func(of oracle.Record) bool { return of.ID == r.Of && !of.At.Before(sealed) })
	}
	change := b.node().Restore
	if r.Rejected {
		change = func(ctx context.Context, org activity.Org, user activity.User, id activity.ID) (*activity.Activity, error) {
			return b.node().Reject(ctx, org, user, id, "test")
		}
	}
	_, err := change(context.Background(), b.org, "u", activity.ID(r.ID))
	if may != (err == nil) {
		b.fatalf("%+v, sealed %v: %v, want %v", *r, sealed, err, may)
	}
	if err != nil {
		r.Rejected = !r.Rejected
	}
}

// redefine gives another award, while nothing is sealed.
func (b *bank) redefine() {
	if !b.sealed().IsZero() {
		return
	}
	b.award = 6.5 - b.award
	b.earner.Awards[0].Selector = decidedAward(b.award)
	b.nodes[0].publish(b.t, fmt.Sprintf(decidedDefinitions, b.org, b.award))
	for _, n := range b.nodes[1:] {
		if _, err := n.registry.Reload(context.Background(), b.org); err != nil {
			b.t.Fatal(err)
		}
	}
}

// check compares what is in the wallets, as the state says and as the log does.
func (b *bank) check() {
	want := b.earner.Earned(b.now).Wallets
	for _, n := range b.nodes {
		plan, _, err := n.Plan(b.org)
		if err != nil {
			b.t.Fatal(err)
		}
		base, records, err := n.Base(context.Background(), b.org, "u")
		if err != nil {
			b.t.Fatal(err)
		}
		state := b.state(n)
		whole, err := progress.Rebuild(plan, state, base, records, calendar.InstantOf(b.now))
		if err != nil && !errors.Is(err, fold.ErrRange) {
			b.t.Fatal(err)
		}
		for from, s := range map[string]*progress.State{"log": whole, "state": state} {
			if s.Plan != plan.Print() {
				continue // the definitions have changed, and nobody has come to this user yet
			}
			var got []oracle.EarnedWallet
			for _, w := range s.DeriveEarned(plan, calendar.InstantOf(b.now)).Wallets {
				got = append(got, oracle.EarnedWallet{Earned: w.Earned, Expired: w.Expired, Balance: w.Balance, Categories: w.Categories,
					Redeemed: w.Redeemed, Spent: w.Spent, Refunded: w.Refunded, Set: w.Set})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				b.fatalf("wallets by the %s at %v, sealed %v (-model +ingest)\n%s", from, b.now, b.sealed(), diff)
			}
		}
	}
}

func (b *bank) fatalf(format string, args ...any) {
	b.t.Helper()
	for _, r := range b.earner.Records {
		b.t.Log(r, r.Kind, r.Action, r.Of, r.Moves)
	}
	b.t.Fatalf(format, args...)
}

// TestDecided_EqualsTheModel: what spends, gives and holds points, late activities, rejects, restores, the seal and other definitions, on nodes that write the same user in turn.
func TestDecided_EqualsTheModel(t *testing.T) {
	var orgs atomic.Int64
	play := func(t *testing.T, nodes ...*node) {
		rapid.Check(t, func(t *rapid.T) {
			b := &bank{t: t, nodes: nodes, earner: decidedEarner(t), now: noon, award: 2.5}
			b.advance(0)
			b.org = nodes[0].publish(t, fmt.Sprintf(decidedDefinitions, fmt.Sprint("bank", orgs.Add(1)), b.award))
			for _, n := range nodes[1:] {
				if _, err := n.registry.Reload(context.Background(), b.org); err != nil {
					t.Fatal(err)
				}
			}
			if err := nodes[0].SetUser(context.Background(), b.org, "v", ingest.UserChange{Create: true}); err != nil {
				t.Fatal(err)
			}
			for i, wallet := range bankNames["point"] {
				b.send(oracle.Record{ID: "fund " + wallet, User: "u", Kind: "point", Action: "increment", Name: wallet, Def: i, At: noon, Received: noon, Value: 8, HasValue: true})
			}
			for i := range rapid.IntRange(6, 40).Draw(t, "steps") {
				b.advance(time.Duration(rapid.SampledFrom([]int{0, 1, 0, 20, 60, 400}).Draw(t, "hours")) * time.Hour)
				switch rapid.IntRange(0, 9).Draw(t, "step") {
				case 6, 7, 8:
					b.toggle()
				case 9:
					b.redefine()
				default:
					b.send(b.draw(i))
				}
				b.check()
			}
		})
	}
	t.Run("embedded", func(t *testing.T) { play(t, startNode(t, embedded(t, 2))) })
	eachServer(t, 2, func(t *testing.T, o store.Options) {
		play(t, startNode(t, o), startNode(t, o))
	})
}

// TestDecided_AtOnce: however many spend the same points at once, on whichever node, they are spent once, and each activity counts once.
func TestDecided_AtOnce(t *testing.T) {
	o := store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 1}
	nodes := []*node{startNode(t, o), startNode(t, o)}
	org := nodes[0].publish(t, fmt.Sprintf(decidedDefinitions, "bank", 1))
	if _, err := nodes[1].registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		n.set(noon)
	}
	send := func(n *node, id, action string, value float64) string {
		r := oracle.Record{ID: id, User: "u", Kind: "point", Action: action, Name: "coins", At: noon, Value: value, HasValue: true}
		report, err := n.Submit(t.Context(), org, []ingest.Item{bankItem(&r)}, ingest.SubmitOptions{})
		if err != nil {
			return err.Error()
		}
		return statuses(report)[0]
	}
	if got := send(nodes[0], "begin", "increment", 5); got != "accepted" {
		t.Fatal(got)
	}
	var g sync.WaitGroup
	answers := make([]string, 32)
	for i := range answers {
		g.Go(func() { answers[i] = send(nodes[i%2], fmt.Sprint("r", i/4), "redeem", 1) }) // each of 8 is sent four times
	}
	g.Wait()
	count := map[string]int{}
	for _, a := range answers {
		count[a]++
	}
	if diff := cmp.Diff(map[string]int{"accepted": 5, "duplicate": 15, "insufficient_points": 12}, count); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	plan, _, err := nodes[1].Plan(org)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nodes[1].State(t.Context(), org, "u")
	if err != nil {
		t.Fatal(err)
	}
	if w := s.DeriveEarned(plan, calendar.InstantOf(noon)).Wallets[1]; w.Balance != 0 || w.Redeemed != 50 {
		t.Errorf("%+v", w)
	}
}
