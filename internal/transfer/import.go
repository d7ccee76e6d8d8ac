package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// ImportOptions say where a dump goes. All are needed; no server may write to the store meanwhile.
type ImportOptions struct {
	Store    *store.Store
	Registry *registry.Registry
	Clock    *clock.Clock
}

// Import makes a deployment of a dump. The store must be empty, or hold what an earlier Import of the same dump left when it was broken off. What is
// wrong with a dump shows when its line is read, and what came before is then written: Check a dump that can be read twice.
//
// Errors: ErrFormat, ErrDamaged, catalog.Faults and others with the line; ErrNotEmpty; errors of the store.
func Import(ctx context.Context, o ImportOptions, in io.Reader) (Counts, error) {
	i := &importer{ImportOptions: o, in: newReader(in), plans: map[activity.Org]*progress.Plan{}, waiting: map[store.Partition]*batch{},
		segments: map[activity.Org]map[activity.Attribute]struct{}{}}
	for {
		lineType, line, err := i.in.next()
		if errors.Is(err, io.EOF) {
			return i.in.counts, nil
		}
		if err != nil {
			return i.in.counts, err
		}
		if err := i.take(ctx, lineType, line); err != nil {
			return i.in.counts, i.in.fail(err)
		}
	}
}

// importer is one import on its way.
type importer struct {
	ImportOptions
	in     *reader
	header header
	orgs   []orgLine
	plans  map[activity.Org]*progress.Plan
	user   *user // whose activities are being read
	last   struct {
		org   activity.Org
		user  activity.User
		holds map[activity.Org]map[string]map[string]int64 // what grants hold of limited rewards
	}
	waiting map[store.Partition]*batch
	// segments are the attributes of the activities so far: few different ones.
	segments map[activity.Org]map[activity.Attribute]struct{}
	// transfers are written at the end.
	transfers []activity.Transfer
	holds     map[activity.Org]map[string]map[string]int64 // what grants hold of limited rewards
}

func (i *importer) take(ctx context.Context, lineType string, line []byte) error {
	parsed, err := parseLine(lineType, line)
	if err != nil {
		return err
	}
	switch l := parsed.(type) {
	case *header:
		i.header = *l
		return i.begin(ctx)
	case *orgLine:
		return i.org(ctx, l)
	case *keyLine:
		return i.commit(ctx, store.Group{OrgChanged: true, Writes: []store.Op{{Kind: store.OpHSet, Key: store.KeysKey(), Args: []string{l.ID, string(l.Record)}}}})
	case *importLine:
		return i.importDoc(ctx, l)
	case *userLine:
		return i.beginUser(ctx, l)
	case *activityLine:
		return i.activity(ctx, l)
	case *transferLine:
		return i.transfer(l)
	}
	return i.end(ctx)
}

// begin makes sure that the target is empty or was being made of this dump, and marks it.
func (i *importer) begin(ctx context.Context) error {
	id, done, err := marks(ctx, i.Store)
	if err != nil {
		return err
	}
	switch {
	case id == i.header.ID:
		return nil // goes on
	case id != "":
		return fmt.Errorf("%w: the import of another export was begun there and did not end", ErrNotEmpty)
	case done == i.header.ID:
		return fmt.Errorf("%w: this export has been imported there already", ErrNotEmpty)
	}
	docs, err := i.Store.Catalogs(ctx)
	if err != nil {
		return err
	}
	keys, err := i.Store.Hash(ctx, store.KeysKey())
	if err != nil {
		return err
	}
	if len(docs) > 0 || len(keys) > 0 {
		return fmt.Errorf("%w: it holds definitions or API keys; import into a new data directory or an empty database", ErrNotEmpty)
	}
	return i.commit(ctx, store.Group{Writes: []store.Op{{Kind: store.OpHSet, Key: store.MetaKey(0), Args: []string{importingField, i.header.ID}}}})
}

// Fields of partition 0's meta hash: the dump that is being imported, and the one that was.
const (
	importingField = "importing"
	importedField  = "imported"
)

func marks(ctx context.Context, s *store.Store) (importing, imported string, err error) {
	meta, err := s.Hash(ctx, store.MetaKey(0))
	return meta[importingField], meta[importedField], err
}

// Unfinished says whether an import into the store was broken off: a server must not work on a part.
func Unfinished(ctx context.Context, s *store.Store) (bool, error) {
	importing, _, err := marks(ctx, s)
	return importing != "", err
}

// commit writes a group without a guard of a user's to partition 0.
func (i *importer) commit(ctx context.Context, g store.Group) error {
	r, err := i.Store.Commit(ctx, 0, []store.Group{g})
	if err == nil && r.Outcomes[0].Status != store.Applied {
		err = fmt.Errorf("%w: %s is written by somebody else", ErrNotEmpty, g.Doc)
	}
	return err
}

// org publishes the definitions and brings the fences to what they were.
func (i *importer) org(ctx context.Context, l *orgLine) error {
	c, err := catalog.ParseOrg(l.Catalog)
	if err != nil {
		return err
	}
	if c.Org != l.Org {
		return fmt.Errorf("%w: the catalog of %s stands at %s", ErrDamaged, c.Org, l.Org)
	}
	if _, err := i.Registry.Restore(ctx, c, l.Secrets); err != nil {
		return err
	}
	for p := range i.Store.Partitions() {
		if err := i.put(ctx, store.Partition(p), l.Org, store.FenceKey(store.Partition(p), l.Org), l.Fence); err != nil {
			return err
		}
	}
	entry, err := i.Registry.Reload(ctx, l.Org)
	if err != nil {
		return err
	}
	i.plans[l.Org] = progress.NewPlanOf(entry.Catalog, entry.Kept, entry.Outages)
	i.orgs = append(i.orgs, *l)
	return nil
}

// put makes a document have a content, if it has not.
func (i *importer) put(ctx context.Context, p store.Partition, org activity.Org, key store.Key, content []byte) error {
	docs, err := i.Store.Docs(ctx, []store.Key{key})
	if err != nil || docs[0].Version != "" && bytes.Equal(docs[0].Content, content) {
		return err
	}
	r, err := i.Store.Commit(ctx, p, []store.Group{{Org: org, Doc: key, Expect: docs[0].Version, Content: content, OrgChanged: true}})
	if err == nil && r.Outcomes[0].Status != store.Applied {
		err = fmt.Errorf("%w: %s is written by somebody else", ErrNotEmpty, key)
	}
	return err
}

func (i *importer) importDoc(ctx context.Context, l *importLine) error {
	if err := i.flushUser(ctx); err != nil {
		return err
	}
	return i.put(ctx, 0, l.Org, store.ImportKey(l.Org, l.ID), l.Record)
}

// end writes what is left: documents that say that all of it is there come last.
func (i *importer) end(ctx context.Context) error {
	if err := i.flushUser(ctx); err != nil {
		return err
	}
	for p := range i.Store.Partitions() {
		if err := i.flush(ctx, store.Partition(p)); err != nil {
			return err
		}
	}
	for _, l := range i.orgs {
		if err := i.withSegments(&l); err != nil {
			return err
		}
		if err := i.writeStocks(ctx, &l); err != nil {
			return err
		}
		named := documents(l.Org)
		for name, content := range l.Documents {
			key, known := named[name]
			if !known {
				return fmt.Errorf("%w: org %s has a document %q that this version does not know", ErrFormat, l.Org, name)
			}
			if err := i.put(ctx, 0, l.Org, key, content); err != nil {
				return err
			}
		}
	}
	if err := i.Registry.SetAppliedFile(ctx, i.header.CatalogFile); err != nil {
		return err
	}
	written, err := i.writeTransfers(ctx)
	if err != nil {
		return err
	}
	meta := store.MetaKey(0)
	return i.commit(ctx, store.Group{Writes: []store.Op{{Kind: store.OpHSet, Key: meta, Args: []string{importedField, i.header.ID}},
		{Kind: store.OpHDel, Key: meta, Args: append(written, importingField)}}})
}

// user is a user of the dump.
type user struct {
	*account.Account
	hashes map[string]map[string]string
	bytes  int
	seen   map[activity.ID]struct{}
}

func (i *importer) beginUser(ctx context.Context, l *userLine) error {
	if err := i.flushUser(ctx); err != nil {
		return err
	}
	if i.plans[l.Org] == nil || l.User == "" {
		return fmt.Errorf("%w: user %q of org %q, which has no definitions", ErrDamaged, l.User, l.Org)
	}
	if l.Org == i.last.org && l.User <= i.last.user {
		return fmt.Errorf("%w: user %q comes after %q", ErrDamaged, l.User, i.last.user)
	}
	i.last.org, i.last.user = l.Org, l.User
	base, err := progress.Parse(string(l.Base))
	if err != nil {
		return fmt.Errorf("%w: base of user %q: %w", ErrDamaged, l.User, err)
	}
	i.user = &user{hashes: l.Hashes, bytes: len(l.Base), seen: map[activity.ID]struct{}{}, Account: &account.Account{Org: l.Org, User: l.User,
		Partition: i.Store.PartitionOf(l.Org, l.User), Stored: l.state(), Cold: string(l.Base), Base: base}}
	return i.userIsWhole(ctx, l.Activities)
}

func (i *importer) activity(ctx context.Context, l *activityLine) error {
	a, err := l.activity(i.user.User)
	if err != nil {
		return err
	}
	a.Meta = slices.Clone(a.Meta)
	if _, twice := i.user.seen[a.ID]; twice {
		return fmt.Errorf("%w: activity %q of user %q comes twice", ErrDamaged, a.ID, a.User)
	}
	i.user.seen[a.ID] = struct{}{}
	i.noteSegments(i.user.Org, &a)
	i.user.Records = append(i.user.Records, a)
	return i.userIsWhole(ctx, i.in.owed)
}

// userIsWhole writes the user at hand when no activity is owed any more.
func (i *importer) userIsWhole(ctx context.Context, owed int) error {
	if owed > 0 {
		return nil
	}
	return i.flushUser(ctx)
}

// flushUser hands the user at hand to the batch of its partition.
func (i *importer) flushUser(ctx context.Context) error {
	if i.user == nil {
		return nil
	}
	u := i.user
	i.user = nil
	return i.write(ctx, u)
}
