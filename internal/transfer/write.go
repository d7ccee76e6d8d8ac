package transfer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"laurel/internal/account"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// Bounds of a commit, and of the part of a log that goes into one.
const (
	commitGroups = 256
	commitBytes  = 4 << 20
)

// batch is what waits to be committed to a partition.
type batch struct {
	groups []queued
	bytes  int
}

// queued is a group that makes a user.
type queued struct {
	group store.Group
	user  *user
	bytes int
}

// write puts a user into the batch. A log that is too long for a commit goes before it: without a state it counts for nothing, and when
// the import is taken up it is written again.
func (i *importer) write(ctx context.Context, u *user) error {
	plan := i.plans[u.Org]
	if err := i.noteGrants(ctx, u); err != nil {
		return err
	}
	made := account.Expected{State: u.Stored, Deadline: u.Stored.Scheduled} // of who was merged into another user
	if u.Stored.Merged == "" {
		var err error
		if made, err = u.Rebuilt(plan, u.Stored, i.Clock.Now()); err != nil {
			return fmt.Errorf("user %q: %w", u.User, err)
		}
	}
	g := store.Group{Org: u.Org, User: u.User, Doc: store.StateKey(u.Partition, u.Org, u.User), Content: made.State.Append(nil)}
	for j := range made.Places {
		place := &made.Places[j]
		at := account.Standing(place.Standing)
		g.Boards = append(g.Boards, store.BoardWrite{Board: u.Board(place), User: u.User, Ascending: place.Ascending, New: &at})
	}
	if u.Cold != "" {
		g.Writes = append(g.Writes, store.Op{Kind: store.OpSet, Key: store.ColdKey(u.Partition, u.Org, u.User), Args: []string{u.Cold}})
	}
	keys := hashes(u.Partition, u.Org, u.User)
	for name, fields := range u.hashes {
		key, known := keys[name]
		if !known || len(fields) == 0 {
			return fmt.Errorf("%w: user %q has %q, which this version does not know", ErrFormat, u.User, name)
		}
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHSet, Key: key, Args: pairs(fields)})
	}
	if u.Stored.Merged == "" {
		if err := i.claim(ctx, u); err != nil {
			return err
		}
		g.Boards = append(g.Boards, ingest.Listing(u.Org, u.User, profile.Created(u.hashes[profileHash])))
	}
	if made.Deadline != 0 {
		g.Writes = append(g.Writes, store.Op{Kind: store.OpZAdd, Key: store.DueKey(u.Partition), Args: []string{strconv.FormatInt(int64(made.Deadline), 10), u.DueMember()}})
	}
	log, err := i.writeLog(ctx, u)
	if err != nil {
		return err
	}
	if len(log.Args) > 0 {
		g.Writes = append(g.Writes, log)
	}
	return i.enqueue(ctx, u.Partition, queued{g, u, u.bytes + len(g.Content) + 64*len(g.Boards)})
}

// claim makes the user's unique values the user's. No two users of a dump show the same.
func (i *importer) claim(ctx context.Context, u *user) error {
	claim := profile.Claim{Owner: u.User}
	content, err := claim.Content()
	if err != nil {
		return err
	}
	for _, v := range profile.ValuesOf(u.hashes[profileHash]) {
		p := i.Store.PartitionOfValue(u.Org, v.Field, v.Key)
		r, err := i.Store.Commit(ctx, p, []store.Group{{Org: u.Org, Doc: store.ClaimKey(p, u.Org, v.Field, v.Key), Content: content}})
		if err != nil {
			return err
		}
		if o := &r.Outcomes[0]; o.Status != store.Applied && !bytes.Equal(o.Doc.Content, content) {
			return fmt.Errorf("%w: %s %q of user %q is another user's too", ErrDamaged, v.Field, v.Key, u.User)
		}
	}
	return nil
}

// writeLog writes all of a log but its last part, which it returns.
func (i *importer) writeLog(ctx context.Context, u *user) (rest store.Op, err error) {
	op := store.Op{Kind: store.OpHSet, Key: store.LogKey(u.Partition, u.Org, u.User)}
	size := 0
	for j := range u.Records {
		if size > commitBytes {
			if _, err := i.Store.Commit(ctx, u.Partition, []store.Group{{Org: u.Org, Writes: []store.Op{op}}}); err != nil {
				return op, err
			}
			op.Args, size = nil, 0
		}
		record := string(u.Records[j].AppendRecord(nil))
		op.Args = append(op.Args, string(u.Records[j].ID), record)
		size += len(record) + len(u.Records[j].ID) + 32
	}
	u.bytes += size
	return op, nil
}

func pairs(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k, m[k])
	}
	return out
}

// enqueue adds to a partition's batch, and commits the batch when it is full.
func (i *importer) enqueue(ctx context.Context, p store.Partition, q queued) error {
	b := i.waiting[p]
	if b == nil {
		b = &batch{}
		i.waiting[p] = b
	}
	b.groups = append(b.groups, q)
	if b.bytes += q.bytes; len(b.groups) < commitGroups && b.bytes < commitBytes {
		return nil
	}
	return i.flush(ctx, p)
}

// flush commits what waits for a partition. A user who is there already must be the one of the dump.
func (i *importer) flush(ctx context.Context, p store.Partition) error {
	b := i.waiting[p]
	if b == nil {
		return nil
	}
	delete(i.waiting, p)
	groups := make([]store.Group, len(b.groups))
	for j := range b.groups {
		groups[j] = b.groups[j].group
	}
	r, err := i.Store.Commit(ctx, p, groups)
	if err != nil {
		return err
	}
	for j, o := range r.Outcomes {
		if o.Status == store.Applied {
			continue
		}
		if err := i.same(ctx, b.groups[j].user); err != nil {
			return err
		}
	}
	return nil
}

// same says whether the user is stored as the dump has it.
func (i *importer) same(ctx context.Context, u *user) error {
	have, err := account.Read(ctx, i.Store, u.Org, u.User)
	if err != nil {
		return err
	}
	log := map[string]string{}
	for j := range u.Records {
		log[string(u.Records[j].ID)] = string(u.Records[j].AppendRecord(nil))
	}
	beside, err := readHashes(ctx, i.Store, have)
	if err != nil {
		return err
	}
	same := have.Fault == nil && maps.EqualFunc(beside, u.hashes, maps.Equal[map[string]string]) && have.Cold == u.Cold && len(have.Records) == len(log)
	for j := range have.Records {
		same = same && log[string(have.Records[j].ID)] == string(have.Records[j].AppendRecord(nil))
	}
	if !same {
		return fmt.Errorf("%w: user %q of org %s is there already, and is another one", ErrNotEmpty, u.User, u.Org)
	}
	return nil
}
