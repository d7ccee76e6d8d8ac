package transfer

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/clock"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// ExportOptions say what is exported. Store, Registry and Clock are needed; Registry must be loaded.
type ExportOptions struct {
	Store       *store.Store
	Registry    *registry.Registry
	Clock       *clock.Clock
	Orgs        []activity.Org // nil: all
	WithoutKeys bool
}

// documents are the documents of an org as a whole that go along as they are, by name. Which publication the users follow is not among them: a
// publication is one of a store. The backfill of the other store finds that they follow.
func documents(org activity.Org) map[string]store.Key {
	return map[string]store.Key{"closed": store.ClosedKey(org), segmentsDocument: store.SegmentsKey(org)}
}

const profileHash = "profile"

// hashes are what is kept of a user beside state, base and log and goes along as it is, by name.
func hashes(p store.Partition, org activity.Org, user activity.User) map[string]store.Key {
	return map[string]store.Key{profileHash: store.ProfileKey(p, org, user), "merged": store.MergedKey(p, org, user), grantsHash: store.GrantsKey(p, org, user)}
}

// readHashes reads those that are there.
func readHashes(ctx context.Context, s *store.Store, a *account.Account) (map[string]map[string]string, error) {
	var out map[string]map[string]string
	for name, key := range hashes(a.Partition, a.Org, a.User) {
		fields, err := s.Hash(ctx, key)
		if err != nil {
			return nil, err
		}
		if name == profileHash {
			fields = profile.WithoutNotes(fields)
		}
		if len(fields) == 0 {
			continue
		}
		if out == nil {
			out = map[string]map[string]string{}
		}
		out[name] = fields
	}
	return out, nil
}

// Export writes a dump. ErrUnreadable for a user whose state, base or log is damaged; errors of the store and of w.
func Export(ctx context.Context, o ExportOptions, w io.Writer) (Counts, error) {
	contents, err := account.Survey(ctx, o.Store)
	if err != nil {
		return Counts{}, err
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	e := &exporter{ExportOptions: o, out: buffered, sum: sha256.New()}
	if err := e.all(ctx, contents); err != nil {
		return e.counts, err
	}
	return e.counts, buffered.Flush()
}

// exporter is one export on its way.
type exporter struct {
	ExportOptions
	out    *bufio.Writer
	sum    hash.Hash
	counts Counts
}

func (e *exporter) write(lineType string, line any) error {
	b, err := encode(line)
	if err != nil {
		return err
	}
	e.counts.add(lineType)
	e.sum.Write(b)
	_, err = e.out.Write(b)
	return err
}

func (e *exporter) all(ctx context.Context, contents map[activity.Org]*account.Contents) error {
	file, err := e.Registry.AppliedFile(ctx)
	if err != nil {
		return err
	}
	if err := e.write(typeHeader, header{typeHeader, Format, rand.Text(), e.Clock.Now(), file}); err != nil {
		return err
	}
	var orgs []activity.Org
	for _, org := range e.Registry.Orgs() {
		if e.Orgs == nil || slices.Contains(e.Orgs, org) {
			orgs = append(orgs, org)
		}
	}
	for _, org := range orgs {
		if err := e.org(ctx, org); err != nil {
			return err
		}
	}
	if err := e.keys(ctx, orgs); err != nil {
		return err
	}
	for _, org := range orgs {
		has := contents[org]
		if has == nil {
			continue
		}
		if err := e.content(ctx, org, has); err != nil {
			return fmt.Errorf("org %s: %w", org, err)
		}
	}
	if err := e.transfers(ctx, orgs); err != nil {
		return err
	}
	return e.write(typeEnd, endLine{typeEnd, e.counts, hex.EncodeToString(e.sum.Sum(nil))})
}

func (e *exporter) org(ctx context.Context, org activity.Org) error {
	entry, err := e.Registry.Reload(ctx, org)
	if err != nil {
		return err
	}
	l := orgLine{Type: typeOrg, Org: org, Catalog: entry.Catalog.Source}
	named := documents(org)
	names := slices.Sorted(maps.Keys(named))
	keys := []store.Key{store.FenceKey(0, org)}
	for _, name := range names {
		keys = append(keys, named[name])
	}
	docs, err := e.Store.Docs(ctx, keys)
	if err != nil {
		return err
	}
	l.Fence = docs[0].Content
	for i, d := range docs[1:] {
		if d.Version == "" {
			continue
		}
		if l.Documents == nil {
			l.Documents = map[string][]byte{}
		}
		l.Documents[names[i]] = d.Content
	}
	stocks := map[string][]byte{}
	if err := e.stocks(ctx, entry.Catalog, stocks); err != nil {
		return err
	}
	if len(stocks) > 0 && l.Documents == nil {
		l.Documents = map[string][]byte{}
	}
	maps.Copy(l.Documents, stocks)
	if !e.WithoutKeys {
		hooks, err := e.Registry.HookState(ctx, org)
		if err != nil {
			return err
		}
		l.Secrets = hooks.Secrets
	}
	return e.write(typeOrg, l)
}

func (e *exporter) keys(ctx context.Context, orgs []activity.Org) error {
	if e.WithoutKeys {
		return nil
	}
	records, err := e.Store.Hash(ctx, store.KeysKey())
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(records)) {
		var of struct {
			Org activity.Org `json:"org"`
		}
		if err := json.Unmarshal([]byte(records[id]), &of); err != nil {
			return fmt.Errorf("API key %s: %w: %w", id, ErrUnreadable, err)
		}
		if !slices.Contains(orgs, of.Org) {
			continue
		}
		if err := e.write(typeKey, keyLine{typeKey, id, jsontext.Value(records[id])}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) content(ctx context.Context, org activity.Org, has *account.Contents) error {
	for _, id := range has.Imports {
		docs, err := e.Store.Docs(ctx, []store.Key{store.ImportKey(org, id)})
		if err != nil {
			return err
		}
		if docs[0].Version == "" {
			continue
		}
		var i ingest.Import
		if err := json.Unmarshal(docs[0].Content, &i); err != nil {
			return fmt.Errorf("import %s of org %s: %w", id, org, err)
		}
		if i.Kind == ingest.ImportActivities { // gone in an hour
			continue
		}
		if err := e.write(typeImport, importLine{typeImport, org, id, docs[0].Content}); err != nil {
			return err
		}
	}
	o := &orgExport{exporter: e, org: org}
	for users := range slices.Chunk(has.Users, usersAtOnce) {
		if err := o.users(ctx, users); err != nil {
			return err
		}
	}
	return nil
}

// usersAtOnce are read beside each other and written in their order.
const usersAtOnce = 16

// orgExport is the export of one org's users.
type orgExport struct {
	*exporter
	org activity.Org
}

// exported is a user as read.
type exported struct {
	*account.Account
	hashes map[string]map[string]string
}

func (o *orgExport) users(ctx context.Context, users []activity.User) error {
	read := make([]exported, len(users))
	var g errgroup.Group
	for i, u := range users {
		g.Go(func() (err error) {
			read[i], err = o.read(ctx, u)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range read {
		if err := o.user(&read[i]); err != nil {
			return fmt.Errorf("user %q: %w", read[i].User, err)
		}
	}
	return nil
}

// readTries is how often a user is read who changes meanwhile.
const readTries = 100

// read reads a user as of one moment.
func (o *orgExport) read(ctx context.Context, user activity.User) (exported, error) {
	for range readTries {
		a, err := account.Read(ctx, o.Store, o.org, user)
		if err != nil {
			return exported{}, err
		}
		beside, err := readHashes(ctx, o.Store, a)
		if err != nil {
			return exported{}, err
		}
		if same, err := a.Unchanged(ctx, o.Store); err != nil {
			return exported{}, err
		} else if same {
			return exported{a, beside}, nil
		}
	}
	return exported{}, fmt.Errorf("user %q changes faster than it can be read: %w", user, store.ErrUnavailable)
}

func (o *orgExport) user(u *exported) error {
	switch {
	case u.Fault != nil:
		return fmt.Errorf("%w: %w", ErrUnreadable, u.Fault)
	case !u.Exists():
		return nil // gone since the walk, or nothing but a profile without a user
	case u.Stored == nil:
		return fmt.Errorf("%w: state", ErrUnreadable)
	}
	l := lineOfState(u.Stored)
	l.Org, l.User, l.Hashes, l.Base, l.Activities = o.org, u.User, u.hashes, []byte(u.Cold), len(u.Records)
	if err := o.write(typeUser, l); err != nil {
		return err
	}
	slices.SortFunc(u.Records, func(a, b activity.Activity) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	for i := range u.Records {
		if err := o.write(typeActivity, lineOfActivity(&u.Records[i])); err != nil {
			return err
		}
	}
	return nil
}
