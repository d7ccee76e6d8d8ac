package store

import (
	"context"

	"laurel/internal/feed"
)

// A transfer is an effect of one user's commit on others. It is appended by that commit and stays, however long that takes, until what it says is done:
// the stream of a partition's transfers is never trimmed, entries are taken out of it. Its length is bounded by those who append (laurel/internal/ingest).

// transferBody is the one field of an entry.
const transferBody = "t"

// Transfer is an entry of a partition's transfers.
type Transfer struct {
	ID   feed.Position // greater than that of every transfer before it, also of those that are no longer there
	Body []byte
}

// AppendTransfer is the write that appends a transfer. Its group needs a guarding document.
func AppendTransfer(p Partition, body []byte) Op {
	return Op{Kind: OpAppend, Key: TransfersKey(p), Args: []string{transferBody, string(body)}}
}

// RemoveTransfers is the write that takes transfers out; those that are not there any more do no harm. There is at least one.
func RemoveTransfers(p Partition, ids []feed.Position) Op {
	op := Op{Kind: OpXDel, Key: TransfersKey(p), Args: make([]string, len(ids))}
	for i, id := range ids {
		op.Args[i] = id.String()
	}
	return op
}

// Transfers gives at most limit of a partition's transfers after a position, oldest first; after the zero position, from the first.
func (s *Store) Transfers(ctx context.Context, p Partition, after feed.Position, limit int) ([]Transfer, error) {
	if err := s.checkPartition(p); err != nil {
		return nil, err
	}
	var list []Transfer
	err := s.driver.stream(ctx, TransfersKey(p), after, limit, func(e streamEntry) error {
		list = append(list, Transfer{e.id, []byte(e.field(transferBody))})
		return nil
	})
	return list, err
}

// OpenTransfers is how many transfers a partition has.
func (s *Store) OpenTransfers(ctx context.Context, p Partition) (int64, error) {
	n, err := s.client.XLen(ctx, string(TransfersKey(p))).Result()
	if err != nil {
		return 0, unavailable("count transfers", err)
	}
	return n, nil
}
