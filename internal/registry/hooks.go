package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// Fields of an org's hooks hash: the text of a secret by its hint, and by webhook the positions, one a partition, behind which its events are sent. It is
// written by the commit that publishes the definitions, so that the document's version guards it too.
const (
	secretField = "secret:"
	fromField   = "from:"
)

// HookState is what webhooks and hooks of an org need beside their definitions.
type HookState struct {
	// Secrets are the texts by hint.
	Secrets map[string]string
	// From are, by webhook, the positions behind which its events are sent, one a partition.
	From map[string][]feed.Position
}

// HookState reads it. Errors of the store.
func (r *Registry) HookState(ctx context.Context, org activity.Org) (HookState, error) {
	fields, err := r.store.Hash(ctx, store.HooksKey(org))
	if err != nil {
		return HookState{}, err
	}
	h := HookState{Secrets: map[string]string{}, From: map[string][]feed.Position{}}
	for field, text := range fields {
		if hint, ok := strings.CutPrefix(field, secretField); ok {
			h.Secrets[hint] = text
		}
		if id, ok := strings.CutPrefix(field, fromField); ok {
			var at []feed.Position
			if err := json.Unmarshal([]byte(text), &at); err != nil {
				return HookState{}, fmt.Errorf("where webhook %s of org %s begins: %w", id, org, err)
			}
			h.From[id] = at
		}
	}
	return h, nil
}

// hookWrites are the writes that go with the publication of a catalog: secrets that are new, and away with those that are named no more; where new webhooks
// begin, and away with what is known of those that are gone. catalog.Faults for a hint of no secret, unless lenient: then what is signed by it waits for one.
func (r *Registry) hookWrites(ctx context.Context, p *publication) (ops []store.Op, err error) {
	have, err := r.HookState(ctx, p.c.Org)
	if err != nil {
		return nil, err
	}
	key := store.HooksKey(p.c.Org)
	var set, gone []string
	var faults catalog.Faults
	named := map[string]bool{}
	for _, use := range p.c.Secrets {
		text := use.Reveal()
		if text == "" {
			text = p.secrets[use.Hint]
		}
		stored := have.Secrets[use.Hint] != ""
		switch {
		case text != "" && !stored && !named[use.Hint]:
			set = append(set, secretField+use.Hint, text)
		case text == "" && !stored && !p.restored:
			faults = append(faults, catalog.Fault{Path: use.Path, Detail: "this is the hint of a secret that is not stored here: give the secret itself"})
		}
		named[use.Hint] = true
	}
	if len(faults) > 0 {
		return nil, faults
	}
	for hint := range have.Secrets {
		if !named[hint] {
			gone = append(gone, secretField+hint)
		}
	}
	begun, err := r.begin(ctx, p.c, have)
	if err != nil {
		return nil, err
	}
	for id := range have.From {
		if p.c.Webhook(id) == nil {
			gone = append(gone, fromField+id)
			ops = append(ops, store.Op{Kind: store.OpDel, Key: store.WebhookKey(p.c.Org, id)})
		}
	}
	if set = append(set, begun...); len(set) > 0 {
		ops = append(ops, store.Op{Kind: store.OpHSet, Key: key, Args: set})
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		ops = append(ops, store.Op{Kind: store.OpHDel, Key: key, Args: gone})
	}
	return ops, nil
}

// begin are the fields of the webhooks that are new: they begin behind what is in the outboxes before they are published.
func (r *Registry) begin(ctx context.Context, c *catalog.Catalog, have HookState) (fields []string, err error) {
	var ends []byte
	for _, w := range c.Webhooks {
		if have.From[w.ID] != nil {
			continue
		}
		if ends == nil {
			if ends, err = r.eventEnds(ctx); err != nil {
				return nil, err
			}
		}
		fields = append(fields, fromField+w.ID, string(ends))
	}
	return fields, nil
}

func (r *Registry) eventEnds(ctx context.Context) ([]byte, error) {
	at, err := r.EventEnds(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(at)
}

// EventEnds are positions behind all events that are there, one a partition. Errors of the store.
func (r *Registry) EventEnds(ctx context.Context) ([]feed.Position, error) {
	at := make([]feed.Position, r.store.Partitions())
	for p := range at {
		end, err := r.store.EventsEnd(ctx, store.Partition(p))
		if err != nil {
			return nil, err
		}
		at[p] = end
	}
	return at, nil
}
