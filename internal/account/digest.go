package account

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"laurel/internal/activity"
)

// Digest sums up rows in any order: two sets of rows with the same digest are the same, but for a chance of 2^-64. It takes 16 bytes whatever the
// size of a board, which is why boards are compared by it before anything is compared row by row.
type Digest struct {
	Rows int
	Sum  uint64
}

// Add adds a row.
func (d *Digest) Add(u activity.User, value, reached int64) {
	var b [16 + 128]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(value))
	binary.LittleEndian.PutUint64(b[8:16], uint64(reached))
	d.Rows++
	d.Sum += xxhash.Sum64(append(b[:16], u...))
}
