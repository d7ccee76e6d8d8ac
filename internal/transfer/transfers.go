package transfer

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// transferLine is an effect on other users that has not arrived yet, or that has arrived and still stands there: a second delivery changes nothing.
type transferLine struct {
	Type     string           `json:"type"`
	Org      activity.Org     `json:"org"`
	To       []activity.User  `json:"to"`
	ID       activity.ID      `json:"id"`
	Name     string           `json:"name"`
	Meta     jsontext.Value   `json:"meta,omitzero"`
	At       calendar.Instant `json:"at"`
	Imported bool             `json:"imported,omitzero"`
	Turn     uint32           `json:"turn,omitzero"`
	Effect   effectLine       `json:"effect,omitzero"`
}

func lineOfTransfer(t *activity.Transfer) transferLine {
	return transferLine{typeTransfer, t.Org, t.To, t.ID, t.Name, t.Meta, t.At, t.Imported, t.Turn, lineOfEffect(&t.Effect)}
}

// transfer is the inverse of lineOfTransfer.
func (l *transferLine) transfer() (activity.Transfer, error) {
	effect, err := l.Effect.effect()
	if err == nil && (len(l.To) == 0 || l.ID == "") {
		err = fmt.Errorf("%w: transfer %q to nobody", ErrDamaged, l.ID)
	}
	return activity.Transfer{Org: l.Org, To: l.To, ID: l.ID, Name: l.Name, Meta: slices.Clone(l.Meta), At: l.At, Imported: l.Imported, Turn: l.Turn, Effect: effect}, err
}

// transfersPage is how many transfers are read, and written, at a time.
const transfersPage = 10_000

// transfers writes what is open in all partitions, in the order of each. It comes after the users, so that beside running servers what has not arrived at a user as exported is rather there than not.
func (e *exporter) transfers(ctx context.Context, orgs []activity.Org) error {
	for p := range e.Store.Partitions() {
		for after, more := (feed.Position{}), true; more; {
			page, err := e.Store.Transfers(ctx, store.Partition(p), after, transfersPage)
			if err != nil {
				return err
			}
			for i := range page {
				t, err := activity.ParseTransfer(string(page[i].Body))
				if err != nil {
					return fmt.Errorf("transfer %v of partition %d: %w: %w", page[i].ID, p, ErrUnreadable, err)
				}
				if !slices.Contains(orgs, t.Org) {
					continue
				}
				if err := e.write(typeTransfer, lineOfTransfer(&t)); err != nil {
					return err
				}
			}
			if more = len(page) == transfersPage; more {
				after = page[len(page)-1].ID
			}
		}
	}
	return nil
}

// transfer takes a line in. Its transfer is written at the end, when all users are there.
func (i *importer) transfer(l *transferLine) error {
	if i.plans[l.Org] == nil {
		return fmt.Errorf("%w: transfer of org %q, which has no definitions", ErrDamaged, l.Org)
	}
	t, err := l.transfer()
	i.transfers = append(i.transfers, t)
	return err
}

// writtenField and a number, in the meta hash of partition 0, say that a part of the transfers is written.
const writtenField = "importing_transfers:"

// writeTransfers appends the transfers, each once also where the import is taken up again, and gives the fields that say so.
func (i *importer) writeTransfers(ctx context.Context) (fields []string, err error) {
	for part := range slices.Chunk(i.transfers, transfersPage) {
		org, mark := part[0].Org, writtenField+strconv.Itoa(len(fields))
		fields = append(fields, mark)
		docs, err := i.Store.Docs(ctx, []store.Key{store.FenceKey(0, org)})
		if err != nil {
			return nil, err
		}
		// An append needs a document that guards it; this one stays as it is.
		g := store.Group{Org: org, Doc: docs[0].Key, Expect: docs[0].Version, Content: docs[0].Content, AbsentIn: store.MetaKey(0), Absent: []string{mark}}
		for j := range part {
			g.Writes = append(g.Writes, store.AppendTransfer(0, part[j].Append(nil)))
		}
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHSet, Key: store.MetaKey(0), Args: []string{mark, i.header.ID}})
		r, err := i.Store.Commit(ctx, 0, []store.Group{g})
		if err != nil {
			return nil, err
		}
		if s := r.Outcomes[0].Status; s != store.Applied && s != store.Exists {
			return nil, fmt.Errorf("%w: %s is written by somebody else", ErrNotEmpty, g.Doc)
		}
	}
	return fields, nil
}
