package deployment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"laurel/internal/oracle"
	"laurel/internal/progress"
)

const (
	clients = 6
	users   = 40
)

// load is clients that send random operations until they are stopped.
type load struct {
	d     *deployment
	w     *world
	begin time.Time
	// hold is taken for reading by every operation: who has it for writing sees all of them at rest.
	hold sync.RWMutex
	// still is taken for reading by operations that must not meet a fault half-way: a command that a frozen node carries out later than the client's next
	// one, or a test of a refusal whose cause is lost.
	still sync.RWMutex
	// settled: no history was lost since all nodes last agreed. Else a revision may be of another epoch for a moment.
	settled atomic.Bool
	// outages counts the beginnings and the ends of the server's restarts. A node whose commit lost its reply finds the activity there and calls it a
	// duplicate, if somebody else wrote the user meanwhile.
	outages atomic.Int64

	// weak are records whose answer did not say that a replica has them, where it should: they may be lost with a master.
	weak weak

	done    atomic.Int64
	mu      sync.Mutex
	visible []time.Duration // from a write's answer to its visibility on another node
}

// client is one of the clients.
type client struct {
	*load
	n      int
	random *rand.Rand
	sent   int
	own    []string // ids of records that it sent
}

// operation is what a client may do next. Extend operations to test more.
type operation struct {
	name   string
	weight int
	do     func(*client, context.Context) error
}

func operations() []operation {
	return []operation{
		{"visit", 8, (*client).visit},
		{"batch", 3, (*client).batch},
		{"again", 3, (*client).again},
		{"conflict", 1, (*client).conflict},
		{"refused", 1, (*client).refused},
		{"reject", 2, (*client).reject},
		{"restore", 2, (*client).restore},
		{"move", 1, (*client).move},
		{"hide", 1, (*client).hide},
		{"read back", 4, (*client).readBack},
	}
}

func newLoad(d *deployment) *load {
	l := &load{d: d, w: newWorld(), begin: time.Now().Truncate(time.Second)}
	l.settled.Store(true)
	return l
}

// start starts the clients and returns what stops them and reports their first error.
func (l *load) start(t *testing.T, seed uint64) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	for n := range clients {
		c := &client{load: l, n: n, random: rand.New(rand.NewPCG(seed, uint64(n)))}
		wg.Go(func() {
			if err := c.run(ctx); err != nil {
				t.Errorf("client %d: %v", n, err)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(stop)
	return stop
}

func (c *client) run(ctx context.Context) error {
	var bag []operation
	for _, o := range operations() {
		bag = append(bag, slices.Repeat([]operation{o}, o.weight)...)
	}
	for ctx.Err() == nil {
		o := bag[c.random.IntN(len(bag))]
		if err := c.operate(o); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		c.done.Add(1)
		pause(ctx, time.Duration(c.random.IntN(5))*time.Millisecond)
	}
	return nil
}

// operate does one operation to its end, also when the clients are being stopped: what became of it must be known.
func (c *client) operate(o operation) error {
	c.hold.RLock()
	defer c.hold.RUnlock()
	return o.do(c, context.Background())
}

// any is a node, whether it can answer or not; one that cannot is tried more seldom, as if somebody had noticed by then.
func (c *client) any() *process {
	p := c.d.nodes[c.random.IntN(nodeCount)]
	if p.stopped.Load() && c.random.IntN(10) > 0 {
		return c.able()
	}
	return p
}

// able is a node that is neither frozen nor killed.
func (c *client) able() *process { return c.ableBut(nil) }

func (c *client) ableBut(p *process) *process {
	for {
		if q := c.d.nodes[c.random.IntN(nodeCount)]; q != p && !q.stopped.Load() {
			return q
		}
	}
}

func user(n int) string { return fmt.Sprintf("üser/%d %%", n) }

// keeper is the client that commands a user.
func keeper(user string) int {
	sum := 0
	for _, b := range []byte(user) {
		sum += int(b)
	}
	return sum % clients
}

// record makes an activity: few different times and numbers, so that there are ties; every fifth is days late.
func (c *client) record(user string) oracle.Record {
	c.sent++
	at := c.begin.Add(-time.Duration(60+c.random.IntN(120)) * time.Second)
	if c.random.IntN(5) == 0 {
		at = at.Add(-time.Duration(c.random.IntN(20*24)) * time.Hour)
	}
	zone := time.FixedZone("", (c.random.IntN(5)-2)*3600)
	return oracle.Record{ID: fmt.Sprintf("%d-%d", c.n, c.sent), User: user, Name: "visit", At: at.In(zone), Imported: true,
		Meta: map[string]any{"points": c.random.IntN(4), "place": "p" + string(rune('a'+c.random.IntN(5)))}}
}

// post sends a body to nodes until the answer is definite and nothing was lost meanwhile. check judges an answer; repeated says that a node may have had
// the body before. Then the world has the records.
func (c *client) post(ctx context.Context, body string, records []oracle.Record, check func(a *answer, repeated bool) error) (*answer, error) {
	for repeated := false; ; repeated = true {
		history, outages := c.w.now(), c.outages.Load()
		a, err := send(ctx, c.any, "POST", "/v1/activities?results=all", body)
		if err == nil {
			err = check(a, repeated || a.Tries > 1 || history%2 == 1 || outages != c.outages.Load() || outages%2 == 1)
		}
		if err != nil && history == c.w.now() && history%2 == 0 {
			return nil, err
		}
		if err == nil && c.w.change(history, func(k known) {
			for _, r := range records {
				if _, ok := k.records[r.ID]; !ok {
					k.records[r.ID] = r
					c.weak.note(c.d, a, r)
				}
			}
		}) {
			return a, nil
		}
	}
}

// single judges the answer to one activity.
func single(a *answer, repeated bool) error {
	if a.Status == 201 || a.Status == 200 && repeated {
		return nil
	}
	return fmt.Errorf("%s answered %d %s", a.Node.name, a.Status, a.Body)
}

func (c *client) visit(ctx context.Context) error {
	r := c.record(user(c.random.IntN(users)))
	_, err := c.post(ctx, wire(&r), []oracle.Record{r}, single)
	c.own = append(c.own, r.ID)
	return err
}

// batch sends an array of good activities with two bad ones among them.
func (c *client) batch(ctx context.Context) error {
	records := make([]oracle.Record, 2+c.random.IntN(12))
	items := make([]string, len(records))
	for i := range records {
		records[i] = c.record(user(c.random.IntN(users)))
		items[i] = wire(&records[i])
		c.own = append(c.own, records[i].ID)
	}
	items = append(items, c.tooOld(), c.tooEarly())
	c.random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	_, err := c.post(ctx, "["+strings.Join(items, ",")+"]", records, func(a *answer, repeated bool) error {
		var got struct{ Accepted, Duplicates, Rejected int }
		if err := a.into(&got); err != nil {
			return err
		}
		if got.Accepted+got.Duplicates != len(records) || got.Duplicates > 0 && !repeated || got.Rejected != 2 {
			return fmt.Errorf("%s answered %s for %d items, of which 2 are bad, repeated %v", a.Node.name, a.Body, len(items), repeated)
		}
		return nil
	})
	return err
}

func (c *client) tooOld() string {
	r := c.record(user(0))
	r.At = r.At.AddDate(0, 0, -60)
	return wire(&r)
}

func (c *client) tooEarly() string {
	r := c.record(user(0))
	r.At = time.Now().Add(time.Hour)
	return wire(&r)
}

// pick is one of the client's own records that the world has, if it finds one.
func (c *client) pick(fits func(r oracle.Record) bool) (oracle.Record, bool) {
	k := c.w.snapshot()
	for range min(len(c.own), 20) {
		if r, ok := k.records[c.own[c.random.IntN(len(c.own))]]; ok && fits(r) && !c.weak.has(r.ID) {
			return r, true
		}
	}
	return oracle.Record{}, false
}

// again sends what is there already to whichever node.
func (c *client) again(ctx context.Context) error {
	history := c.w.now()
	r, ok := c.pick(func(oracle.Record) bool { return true })
	if !ok {
		return nil
	}
	r.Rejected = false // as it would be if it were lost meanwhile
	_, err := c.post(ctx, wire(&r), []oracle.Record{r}, func(a *answer, repeated bool) error {
		if a.Status == 201 && history == c.w.now() {
			return fmt.Errorf("%s took %s a second time", a.Node.name, r.ID)
		}
		return single(a, true)
	})
	return err
}

// conflict uses an id for another activity.
func (c *client) conflict(ctx context.Context) error {
	if !c.still.TryRLock() {
		return nil
	}
	defer c.still.RUnlock()
	r, ok := c.pick(func(oracle.Record) bool { return true })
	if !ok {
		return nil
	}
	r.At = r.At.Add(-time.Second)
	a, err := send(ctx, c.able, "POST", "/v1/activities", wire(&r))
	if err == nil && (a.Status != 409 || a.code() != "id_conflict") {
		err = fmt.Errorf("%s answered %d %s", a.Node.name, a.Status, a.Body)
	}
	return err
}

// refused sends what no node may take.
func (c *client) refused(ctx context.Context) error {
	for body, code := range map[string]string{c.tooOld(): "too_old", c.tooEarly(): "in_future", `{"user":"","name":"visit"}`: "bad_user"} {
		a, err := send(ctx, c.any, "POST", "/v1/activities", body)
		if err != nil {
			return err
		}
		if a.Status != 422 || a.code() != code {
			return fmt.Errorf("%s answered %d %s for %s", a.Node.name, a.Status, a.Body, body)
		}
	}
	return nil
}

func (c *client) reject(ctx context.Context) error  { return c.command(ctx, "reject", true) }
func (c *client) restore(ctx context.Context) error { return c.command(ctx, "restore", false) }

// command rejects or restores one of the client's own records: what one client does comes in its order.
func (c *client) command(ctx context.Context, verb string, rejected bool) error {
	if !c.still.TryRLock() {
		return nil
	}
	defer c.still.RUnlock()
	r, ok := c.pick(func(r oracle.Record) bool { return r.Rejected != rejected })
	if !ok {
		return nil
	}
	path := "/v1/activities/" + url.PathEscape(r.User) + "/" + r.ID
	a, err := send(ctx, c.able, "POST", path+"/"+verb, `{}`)
	if err == nil && a.Status != 200 {
		err = fmt.Errorf("%s answered %d %s", a.Node.name, a.Status, a.Body)
	}
	if err != nil {
		return err
	}
	r.Rejected = rejected
	if !c.w.change(c.w.now(), func(k known) { k.records[r.ID] = r }) {
		return fmt.Errorf("history was lost while nothing may be")
	}
	return nil
}

// ward is a user whom this client alone commands, and whom an activity has made known.
func (c *client) ward() (string, bool) {
	r, ok := c.pick(func(r oracle.Record) bool { return strings.HasPrefix(r.User, "üser") && keeper(r.User) == c.n })
	return r.User, ok
}

// hide takes a user off all boards, or puts a hidden one back.
func (c *client) hide(ctx context.Context) error {
	if !c.still.TryRLock() {
		return nil
	}
	defer c.still.RUnlock()
	who, ok := c.ward()
	if !ok {
		return nil
	}
	hidden, verb := !c.w.snapshot().hidden[who], "unhide"
	if hidden {
		verb = "hide"
	}
	a, err := send(ctx, c.able, "POST", "/v1/users/"+url.PathEscape(who)+"/"+verb, "")
	if err == nil && a.Status != 200 {
		err = fmt.Errorf("%s answered %d %s", a.Node.name, a.Status, a.Body)
	}
	if err != nil {
		return err
	}
	if !c.w.change(c.w.now(), func(k known) { k.hidden[who] = hidden }) {
		return fmt.Errorf("history was lost while nothing may be")
	}
	return nil
}

// move gives a user another zone. (A zone that a user begins with would count from the beginning of time.)
func (c *client) move(ctx context.Context) error {
	if !c.still.TryRLock() {
		return nil
	}
	defer c.still.RUnlock()
	who, ok := c.ward()
	if !ok || len(c.w.snapshot().zones[who]) >= progress.MaxZoneChanges {
		return nil
	}
	zones := []string{"Europe/Vienna", "Asia/Tokyo", "America/Los_Angeles", "UTC"}
	zone, err := time.LoadLocation(zones[c.random.IntN(len(zones))])
	if err != nil {
		return err
	}
	a, err := send(ctx, c.able, "PUT", "/v1/users/"+url.PathEscape(who), fmt.Sprintf(`{"timezone":%q}`, zone))
	if err == nil && a.Status != 200 {
		err = fmt.Errorf("%s answered %d %s", a.Node.name, a.Status, a.Body)
	}
	if err != nil {
		return err
	}
	change := oracle.ZoneChange{At: time.Now(), Zone: zone}
	if !c.w.change(c.w.now(), func(k known) { k.zones[who] = slices.Concat(k.zones[who], []oracle.ZoneChange{change}) }) {
		return fmt.Errorf("history was lost while nothing may be")
	}
	return nil
}

// readBack writes on one node and reads on another at once, with min_revision: the write must be there.
func (c *client) readBack(ctx context.Context) error {
	me := fmt.Sprintf("own %d", c.n)
	r := c.record(me)
	history, settled := c.w.now(), c.settled.Load()
	a, err := c.post(ctx, wire(&r), []oracle.Record{r}, single)
	if err != nil {
		return err
	}
	answered := time.Now()
	var wrote struct{ Revision string }
	if err := a.into(&wrote); err != nil {
		return err
	}
	path := "/v1/leaderboards/visits/all/users/" + url.PathEscape(me) + "?min_revision=" + wrote.Revision
	b, err := send(ctx, func() *process { return c.ableBut(a.Node) }, "GET", path, "")
	if err != nil {
		return err
	}
	var got row
	if err := b.into(&got); err != nil {
		return err
	}
	took := time.Since(answered)
	want := int64(0)
	if !c.w.change(history, func(k known) {
		for _, r := range k.records {
			if r.User == me {
				want++
			}
		}
	}) || b.code() == "epoch_changed" && !(settled && c.settled.Load()) {
		return nil
	}
	if c.weak.some() {
		return nil
	}
	if b.Status != 200 || got.Score != want {
		return fmt.Errorf("%s wrote number %d, then %s answered %d %s", a.Node.name, want, b.Node.name, b.Status, b.Body)
	}
	if b.Tries == 1 && settled && c.settled.Load() {
		c.mu.Lock()
		c.visible = append(c.visible, took)
		c.mu.Unlock()
	}
	return nil
}
