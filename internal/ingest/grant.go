package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Grants are written by the user's own commits, beside the state: what completions give, where the commit changes that (decided by whatever path), what an activity or a command
// issues or takes back, and what time expires. All of it is decided on the user's hash as it is at the version that the commit names.

// Why a grant is not issued or changed.
var (
	ErrRewardNotFound = errors.New("org has no such reward")
	ErrGrantNotFound  = errors.New("user has no such grant")
	// ErrGrantConflict: the id is that of another grant of the user.
	ErrGrantConflict = errors.New("id is that of another grant")
	// ErrNotCounted: a reward that is no count of entries is given once.
	ErrNotCounted = errors.New("reward is no count of entries")
	// ErrOutOfStock: nothing is left of the reward.
	ErrOutOfStock = errors.New("nothing is left of the reward")
)

// granting is what an attempt does to its user's grants.
type granting struct {
	due      *grants.Due         // what completions give; nil where that is not to be judged
	absorbed *absorbed           // what another user brings along
	records  []activity.Activity // that are written, and bring or take grants
	issued   []grants.Grant      // by a command: out of stock, it is refused
	changed  []grants.Grant      // claimed or redeemed
	ordered  string              // the one that a command is about
	held     []held              // opened, to be settled when the commit is known
}

// any says whether there is anything to decide beside what time brings.
func (g *granting) any() bool {
	return g.due != nil || g.absorbed != nil || len(g.records)+len(g.issued)+len(g.changed) > 0
}

// grantsOf reads the grants of the task's user.
func (w *writer) grantsOf(ctx context.Context, t *task) (grants.Set, error) {
	if t.version == "" {
		return grants.Set{}, nil
	}
	hash, err := w.Store.Hash(ctx, store.GrantsKey(w.partition, t.key.org, t.key.user))
	if err != nil {
		return nil, err
	}
	set, err := grants.ParseSet(hash)
	if err != nil {
		err = fmt.Errorf("user %q of org %s: %w", t.key.user, t.key.org, err)
	}
	return set, err
}

// decideGrants adds to an attempt that commits what becomes of the user's grants.
func (w *writer) decideGrants(ctx context.Context, t *task) error {
	a, now := &t.attempt, w.Clock.Now()
	if !a.commits || a.group.Delete || a.state.Merged != "" || !a.granting.any() && (a.state.Expires == 0 || a.state.Expires > now) {
		return nil
	}
	set, err := w.grantsOf(ctx, t)
	if err != nil {
		return err
	}
	g := granter{writer: w, t: t, now: now, set: set, written: map[string]bool{}}
	switch err := g.decide(ctx); {
	case errors.Is(err, errNobody):
		return w.createFirst(ctx, t, now)
	case errors.Is(err, ErrOutOfStock):
		a.refuseStock()
		return nil
	case err != nil:
		return err
	}
	return g.finish()
}

// errNobody: what is held for a user who is not there yet could not be asked for.
var errNobody = errors.New("user is not there yet")

// createFirst makes the attempt one that creates the user and settles nothing: who holds a piece of a stock must be there to be asked for it.
func (w *writer) createFirst(ctx context.Context, t *task, now calendar.Instant) error {
	t.attempt = attempt{state: &progress.State{}}
	t.attempt.group = w.emptyGroup(t)
	err := w.decideAsOf(ctx, t, now)
	w.noteCreation(t)
	return err
}

// refuseStock makes nothing of the attempt.
func (a *attempt) refuseStock() {
	a.commits, a.err = false, ErrOutOfStock
	for i := range a.verdicts {
		a.verdicts[i].Err = cmp.Or(a.verdicts[i].Err, ErrOutOfStock)
	}
}

// granter decides the grants of one attempt.
type granter struct {
	*writer
	t       *task
	now     calendar.Instant
	set     grants.Set
	written map[string]bool // ids whose records are other ones now
	events  [][]byte
	credit  activity.ID // the record that is followed, if it is a credit
}

func (g *granter) decide(ctx context.Context) error {
	x := &g.t.attempt.granting
	x.held = nil
	if x.absorbed != nil {
		if err := g.absorb(ctx, x.absorbed); err != nil {
			return err
		}
		if x.due == nil {
			x.due = g.t.attempt.state.DueGrants(g.t.plan, g.now)
		}
	}
	if x.due != nil {
		for _, j := range g.set.Judge(x.due) {
			if err := g.carryOut(ctx, &j, x.due.Told); err != nil {
				return err
			}
		}
	}
	for _, grant := range x.issued {
		switch issued, err := g.issue(ctx, grant, g.now); {
		case err != nil:
			return err
		case !issued:
			return ErrOutOfStock
		}
		g.tell("reward.issued", grant.ID)
	}
	for i := range x.records {
		if err := g.follow(ctx, &x.records[i]); err != nil {
			return err
		}
	}
	for _, grant := range x.changed {
		if was := g.set[grant.ID]; was.ClaimedAt == 0 {
			g.put(grant)
			g.tell("reward.claimed", grant.ID)
		}
		g.put(grant)
		if grant.State == grants.Redeemed {
			g.tell("reward.redeemed", grant.ID)
		}
	}
	g.expire()
	return nil
}

// carryOut does what was judged of a grant that completions give.
func (g *granter) carryOut(ctx context.Context, j *grants.Judgement, told bool) error {
	kind := ""
	switch j.Verdict {
	case grants.Comes:
		issued, err := g.issue(ctx, j.Grant, j.At)
		if err != nil {
			return err
		}
		if kind = "reward.issued"; !issued {
			refused := j.Grant
			refused.State, refused.IssuedAt = grants.Refused, j.At
			g.put(refused)
			kind = "reward.out_of_stock"
		}
	case grants.Moves:
		moved := j.Grant
		if moved.ExpiresAt != 0 {
			moved.ExpiresAt += j.At - moved.IssuedAt
			moved.Told = moved.Told && moved.ExpiresAt <= g.now
		}
		moved.IssuedAt = j.At
		g.put(moved)
	case grants.Goes:
		if err := g.revoke(ctx, j.Grant); err != nil {
			return err
		}
		kind = "reward.revoked"
	case grants.Forgotten:
		delete(g.set, j.ID)
		g.written[j.ID] = true
	}
	if kind != "" && told {
		g.tell(kind, j.ID)
	}
	return nil
}

func (g *granter) put(grant grants.Grant) {
	g.set[grant.ID] = grant
	g.written[grant.ID] = true
}

// reward is the definition of a reward, nil if it was removed.
func (g *granter) reward(id string) *catalog.Reward {
	return rewardOf(g.t.entry.Catalog, id)
}

func rewardOf(c *catalog.Catalog, id string) *catalog.Reward {
	if i, ok := c.Find(catalog.Rewards, id); ok {
		return c.Rewards[i]
	}
	return nil
}

// issue issues a grant, also one that was taken back, with its code and out of its stock; not issued: nothing is left.
func (g *granter) issue(ctx context.Context, grant grants.Grant, at calendar.Instant) (issued bool, err error) {
	def := g.reward(grant.Reward)
	if def == nil {
		return false, ErrRewardNotFound
	}
	if def.Stock >= 0 || grant.Hold != "" {
		if grant.Hold == "" {
			grant.Hold = grants.HoldOf(g.t.key.user, grant.ID)
		}
		if ok, err := g.take(ctx, def, &grant); !ok || err != nil {
			return false, err
		}
	}
	if def.Code != "" && grant.Code == "" {
		if grant.Code, err = g.claimCode(ctx, g.t.key, grant.ID, def.Code); err != nil {
			return false, err
		}
	}
	grant.ClaimedAt, grant.RedeemedAt = 0, 0
	grant.Issue(at, def.Expires)
	g.put(grant)
	return true, nil
}

// revoke takes a grant back that was issued.
func (g *granter) revoke(ctx context.Context, grant grants.Grant) error {
	grant.State = grants.Revoked
	g.put(grant)
	return g.give(ctx, &grant)
}

// expire tells of the grants whose time is over.
func (g *granter) expire() {
	var over []grants.Grant
	for _, grant := range g.set {
		if at := grant.Expiring(); at != 0 && at <= g.now {
			over = append(over, grant)
		}
	}
	slices.SortFunc(over, func(a, b grants.Grant) int {
		return cmp.Or(cmp.Compare(a.ExpiresAt, b.ExpiresAt), cmp.Compare(a.ID, b.ID))
	})
	due := g.t.attempt.granting.due
	for _, grant := range over {
		quiet := due != nil && !due.Told && g.written[grant.ID] // came and went in history
		grant.Told = true
		if g.put(grant); !quiet {
			g.tell("reward.expired", grant.ID)
		}
	}
}

// tell makes an event of what became of a grant.
func (g *granter) tell(kind, id string) {
	grant := g.set[id]
	at := g.now
	if kind == "reward.expired" {
		at = grant.ExpiresAt
	}
	b := append(append(append([]byte(`{"type":"`), kind...), `","at":"`...), at.String()...)
	text := func(name, value string) {
		b = append(append(append(b, `,"`...), name...), `":`...)
		b, _ = jsontext.AppendQuote(b, value) // ids are valid UTF-8
	}
	b = append(b, '"')
	text("user", string(g.t.key.user))
	if grant.State != grants.Refused {
		text("grant", grant.ID)
	}
	text("reward", grant.Reward)
	if grant.By != "" {
		text("by", grant.By)
	}
	if kind == "reward.issued" && grant.ExpiresAt != 0 {
		text("expires_at", grant.ExpiresAt.String())
	}
	g.events = append(g.events, append(b, '}'))
}

// finish adds what was decided to the attempt's group.
func (g *granter) finish() error {
	a := &g.t.attempt
	key := store.GrantsKey(g.partition, g.t.key.org, g.t.key.user)
	set, remove := store.Op{Kind: store.OpHSet, Key: key}, store.Op{Kind: store.OpHDel, Key: key}
	for _, id := range slices.Sorted(maps.Keys(g.written)) {
		grant, there := g.set[id]
		if !there {
			remove.Args = append(remove.Args, id)
			continue
		}
		record, err := grant.Record()
		if err != nil {
			return err
		}
		a.granted = append(a.granted, grant)
		set.Args = append(set.Args, id, record)
	}
	for _, op := range []store.Op{set, remove} {
		if len(op.Args) > 0 {
			a.group.Writes = append(a.group.Writes, op)
		}
	}
	a.group.Events = append(a.group.Events, g.events...)
	if id := a.granting.ordered; id != "" {
		g.t.units[0].command.grants.grant = g.set[id]
	}
	if next := g.set.Next(); next != a.state.Expires {
		a.state.Expires = next
		if op, ok := g.t.schedule(a.state); ok {
			a.group.Writes = append(a.group.Writes, op)
		}
		a.group.Content = a.state.Append(make([]byte, 0, len(a.group.Content)+stateGrowth))
	}
	return nil
}

// Grants reads a user's grants, also those that are not shown; none of a user who is not there.
func (s *Service) Grants(ctx context.Context, org activity.Org, user activity.User) (grants.Set, error) {
	hash, err := s.Store.Hash(ctx, store.GrantsKey(s.Store.PartitionOf(org, user), org, user))
	if err != nil {
		return nil, err
	}
	return grants.ParseSet(hash)
}
