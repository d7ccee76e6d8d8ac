package registry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/streaks"
)

const dayMS = calendar.Instant(24 * time.Hour / time.Millisecond)

// declared is when the tests declare.
const declared = 20_000 * dayMS

func outage(id string) streaks.Outage {
	return streaks.Outage{ID: id, At: declared, From: declared - dayMS, To: declared, Reason: "maintenance"}
}

func TestRegistry_DeclareAndWithdraw(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	before := publish(t, r, org(t, "git", "a"), "")
	if before.Edition != registry.Edition(before.Version) {
		t.Errorf("edition %q without outages", before.Edition)
	}
	o := outage("x")
	e, err := r.Declare(t.Context(), "git", o)
	if err != nil || !cmp.Equal(e.Outages, []streaks.Outage{o}) || e.Edition == before.Edition {
		t.Fatalf("%+v, %v", e, err)
	}
	for p := range before.Fences {
		if e.Fences[p] == before.Fences[p] {
			t.Errorf("partition %d has the old fence: commits that do not know of the outage apply", p)
		}
	}
	gone, err := r.Withdraw(t.Context(), "git", "x", declared+1)
	o.RemoveAt = declared + 1
	if err != nil || !cmp.Equal(gone.Outages, []streaks.Outage{o}) || gone.Edition == e.Edition || gone.Edition == before.Edition {
		t.Fatalf("%+v, %v", gone, err)
	}
	again, err := r.Withdraw(t.Context(), "git", "x", declared+2)
	if err != nil || !cmp.Equal(again.Outages, gone.Outages) || !cmp.Equal(again.Fences, gone.Fences) {
		t.Errorf("taking back what is taken back: %+v, %v", again, err)
	}
	if _, err := r.Withdraw(t.Context(), "git", "y", declared); !errors.Is(err, registry.ErrOutageNotFound) {
		t.Errorf("one that there is not: %v", err)
	}
	if _, err := r.Declare(t.Context(), "none", outage("x")); !errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("an org that there is not: %v", err)
	}
	published := publish(t, r, org(t, "git", "b"), again.Version)
	if !cmp.Equal(published.Outages, gone.Outages) || published.Edition == again.Edition {
		t.Errorf("a publication forgot the outages: %+v", published)
	}
}

func TestRegistry_DeclareRefuses(t *testing.T) {
	const horizon = 90 * dayMS // of the default log_days
	tests := map[string]struct {
		change func(o *streaks.Outage)
		err    error
		field  string
	}{
		"ends as it begins":     {func(o *streaks.Outage) { o.To = o.From }, registry.ErrBadOutage, "to"},
		"ends before":           {func(o *streaks.Outage) { o.To = o.From - 1 }, registry.ErrBadOutage, "to"},
		"longest":               {func(o *streaks.Outage) { o.To = o.From + 90*dayMS }, nil, ""},
		"too long":              {func(o *streaks.Outage) { o.To = o.From + 90*dayMS + 1 }, registry.ErrBadOutage, "to"},
		"furthest ahead":        {func(o *streaks.Outage) { o.From, o.To = o.At+365*dayMS-1, o.At+365*dayMS }, nil, ""},
		"too far ahead":         {func(o *streaks.Outage) { o.From, o.To = o.At+365*dayMS-1, o.At+365*dayMS+1 }, registry.ErrBadOutage, "to"},
		"earliest":              {func(o *streaks.Outage) { o.From = o.At - horizon }, nil, ""},
		"below what is kept":    {func(o *streaks.Outage) { o.From = o.At - horizon - 1; o.To = o.From + dayMS }, registry.ErrOutageSealed, "from"},
		"longest reason":        {func(o *streaks.Outage) { o.Reason = strings.Repeat("x", 256) }, nil, ""},
		"reason over 256 bytes": {func(o *streaks.Outage) { o.Reason = strings.Repeat("é", 129) }, registry.ErrBadOutage, "reason"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := node(t, openStore(t, 1))
			publish(t, r, org(t, "git", "a"), "")
			o := outage("x")
			tt.change(&o)
			_, err := r.Declare(t.Context(), "git", o)
			var field string
			if at, ok := errors.AsType[*registry.OutageError](err); ok {
				field = at.Field
			}
			if !errors.Is(err, tt.err) || field != tt.field {
				t.Errorf("%v, field %q", err, field)
			}
		})
	}
}

// Where logs are kept for ever, nothing is too long ago.
func TestRegistry_DeclareForever(t *testing.T) {
	r := node(t, openStore(t, 1))
	c, err := catalog.ParseOrg([]byte("id: git\nlimits: {log_days: forever}\n"))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, r, c, "")
	o := outage("x")
	o.From, o.To = 0, dayMS
	if _, err := r.Declare(t.Context(), "git", o); err != nil {
		t.Error(err)
	}
}

// What is sealed cannot be taken back: the streaks that it saved are folded.
func TestRegistry_WithdrawSealed(t *testing.T) {
	r := node(t, openStore(t, 1))
	publish(t, r, org(t, "git", "a"), "")
	o := outage("x")
	if _, err := r.Declare(t.Context(), "git", o); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Withdraw(t.Context(), "git", "x", o.From+90*dayMS+1); !errors.Is(err, registry.ErrOutageSealed) {
		t.Errorf("after the horizon: %v", err)
	}
	for range 2 {
		if _, err := r.Withdraw(t.Context(), "git", "x", o.From+90*dayMS); err != nil {
			t.Errorf("within the horizon: %v", err)
		}
	}
	if _, err := r.Withdraw(t.Context(), "git", "x", o.From+200*dayMS); err != nil {
		t.Errorf("again, later: %v", err)
	}
}

// fenced writes into a partition's fence what a node wrote there that died before it came to the others.
func fenced(t *testing.T, s *store.Store, p store.Partition, e *registry.Entry, outages ...streaks.Outage) {
	t.Helper()
	content, err := json.Marshal(map[string]any{"catalog": e.Catalog.Hash, "outages": outages})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Commit(t.Context(), p, []store.Group{{Org: "git", Doc: store.FenceKey(p, "git"), Expect: e.Fence(p), Content: content}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRegistry_OutageLimits(t *testing.T) {
	s := openStore(t, 1)
	r := node(t, s)
	e := publish(t, r, org(t, "git", "a"), "")
	var many []streaks.Outage
	for i := range registry.MaxOutages {
		many = append(many, outage(fmt.Sprintf("o%03d", i)))
	}
	fenced(t, s, 0, e, many...)
	if _, err := r.Declare(t.Context(), "git", outage("x")); !errors.Is(err, registry.ErrTooManyOutages) {
		t.Errorf("at the limit: %v", err)
	}
	later := outage("x")
	later.At = declared + 90*dayMS
	later.From, later.To = later.At, later.At+1
	if _, err := r.Declare(t.Context(), "git", later); err != nil {
		t.Errorf("after the others ended too long ago to matter: %v", err)
	}
	if _, err := r.Withdraw(t.Context(), "git", "o007", declared); err != nil {
		t.Fatal(err)
	}
	if e, err := r.Withdraw(t.Context(), "git", "x", declared); err != nil || len(e.Outages) != registry.MaxOutages+1 {
		t.Fatal(err)
	}
	if _, err := r.Declare(t.Context(), "git", outage("y")); err != nil {
		t.Errorf("after one was taken back: %v", err)
	}
}

// A node that died after it had written some fences leaves a declaration or a removal under way, which others carry forward.
func TestRegistry_CarriesADeadDeclarationForward(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	e := publish(t, r, org(t, "git", "a"), "")
	o := outage("x")
	fenced(t, s, 2, e, o)
	next, err := node(t, s).Reload(t.Context(), "git")
	if err != nil || !cmp.Equal(next.Outages, []streaks.Outage{o}) || next.Fence(0) == e.Fence(0) || next.Fence(1) == e.Fence(1) {
		t.Fatalf("%+v, %v", next, err)
	}
	o.RemoveAt = declared + 5
	fenced(t, s, 1, next, o)
	closed, err := r.Close(t.Context(), "git", 7, nil)
	if err != nil || !cmp.Equal(closed.Outages, []streaks.Outage{o}) || closed.ClosedThrough != 7 {
		t.Errorf("closing carried along %+v, %v", closed, err)
	}
}

// Other nodes hear of an outage by the commits of the fences.
func TestRegistry_TellsOtherNodes(t *testing.T) {
	s := openStore(t, 2)
	r := node(t, s)
	publish(t, r, org(t, "git", "a"), "")
	told := func(what string, do func() (*registry.Entry, error)) {
		t.Helper()
		from, err := s.Tail(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := do(); err != nil {
			t.Fatal(err)
		}
		changes, err := s.Changes(t.Context(), 1, from, 10, 0)
		if err != nil || !slices.ContainsFunc(changes, func(c feed.Change) bool { return slices.Contains(c.Orgs, "git") }) {
			t.Errorf("%s: nobody is told; %v", what, err)
		}
	}
	told("declare", func() (*registry.Entry, error) { return r.Declare(t.Context(), "git", outage("x")) })
	told("withdraw", func() (*registry.Entry, error) { return r.Withdraw(t.Context(), "git", "x", declared) })
}

// Whatever nodes declare, take back, publish and close at once, and wherever some of them die: nothing that was declared is lost, what was taken back stays so,
// and all nodes come to the same.
func TestRegistry_OutagesAreAllKept(t *testing.T) {
	for range 15 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { allKept(t, seed) })
	}
}

func allKept(t *testing.T, seed uint64) {
	s := openStore(t, 1+int(seed%4))
	publish(t, node(t, s), org(t, "git", "start"), "")
	var g errgroup.Group
	const nodes, each = 4, 3
	for n := range nodes {
		r, random := node(t, s), rand.New(rand.NewPCG(seed, uint64(n)))
		g.Go(func() error { return busy(r, s, random, fmt.Sprint("n", n), each) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	one, two := reload(t, s), reload(t, s)
	if !cmp.Equal(one.Fences, two.Fences) || !cmp.Equal(one.Outages, two.Outages) || one.Edition != two.Edition {
		t.Error("nodes disagree")
	}
	var got, want []string
	for _, o := range one.Outages {
		got = append(got, fmt.Sprint(o.ID, " ", o.RemoveAt != 0))
	}
	for n := range nodes {
		for i := range each {
			want = append(want, fmt.Sprintf("n%d-%d %v", n, i, i%2 == 1))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outages (-declared +kept)\n%s", diff)
	}
	if one.ClosedThrough != 100+each-1 {
		t.Errorf("closed through %d", one.ClosedThrough)
	}
}

func reload(t *testing.T, s *store.Store) *registry.Entry {
	t.Helper()
	e, err := node(t, s).Reload(t.Context(), "git")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// busy declares some outages and takes every other one back, and in between publishes and closes. Now and then it does so as a node that dies after the first fence.
func busy(r *registry.Registry, s *store.Store, random *rand.Rand, name string, times int) error {
	ctx := context.Background()
	for i := range times {
		o := outage(fmt.Sprintf("%s-%d", name, i))
		o.At += calendar.Instant(random.IntN(3))
		if err := declare(ctx, r, s, o, random.IntN(3) == 0); err != nil {
			return err
		}
		steps := []func() error{
			func() error {
				_, err := r.Close(ctx, "git", calendar.Instant(100+i), kept(calendar.Ordinal(i)))
				return err
			},
			func() error {
				c, err := catalog.ParseOrg([]byte(source("git", fmt.Sprint(name, i))))
				if err == nil {
					_, err = r.Publish(ctx, c, "", true)
				}
				return err
			},
		}
		if i%2 == 1 {
			steps = append(steps, func() error { _, err := r.Withdraw(ctx, "git", o.ID, declared+calendar.Instant(i)); return err })
		}
		random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

// declare declares, or leaves off after the first partition's fence. What is left off only there is tried until it is there, as a client would.
func declare(ctx context.Context, r *registry.Registry, s *store.Store, o streaks.Outage, dies bool) error {
	if !dies {
		_, err := r.Declare(ctx, "git", o)
		return err
	}
	for {
		key := store.FenceKey(0, "git")
		docs, err := s.Docs(ctx, []store.Key{key})
		if err != nil {
			return err
		}
		var fence map[string]any
		if err := json.Unmarshal(docs[0].Content, &fence); err != nil {
			return err
		}
		outages, _ := fence["outages"].([]any)
		fence["outages"] = append(outages, o)
		content, err := json.Marshal(fence)
		if err != nil {
			return err
		}
		result, err := s.Commit(ctx, 0, []store.Group{{Org: "git", Doc: key, Expect: docs[0].Version, Content: content}})
		if err != nil || result.Outcomes[0].Status == store.Applied {
			return err
		}
	}
}

// Who declares an outage works with it from then on, whatever the node reads meanwhile.
func TestRegistry_DeclareIsKnownHere(t *testing.T) {
	r := node(t, openStore(t, 4))
	publish(t, r, org(t, "git", "a"), "")
	ctx, stop := context.WithCancel(t.Context())
	var g errgroup.Group
	for range 3 {
		g.Go(func() error {
			for ctx.Err() == nil {
				if _, err := r.Reload(context.Background(), "git"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for i := range 30 {
		e, err := r.Declare(t.Context(), "git", outage(fmt.Sprintf("o%02d", i)))
		known, _ := r.Get("git")
		if err != nil || len(e.Outages) != i+1 || len(known.Outages) != i+1 {
			t.Errorf("%d of %d outages are returned, %d are known; %v", len(e.Outages), i+1, len(known.Outages), err)
			break
		}
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
