package store

import "sync/atomic"

// entrySizes estimates how many entries a change stream of a given size has, from the sizes of those written lately.
type entrySizes struct {
	limit int64
	mean  atomic.Int64 // bytes of an entry, a moving average; 0 before the first
}

// Bounds of a change stream's length.
const (
	entryOverhead = 96 // id, version, previous id, names
	minEntries    = 16
)

func newEntrySizes(limit int64) *entrySizes { return &entrySizes{limit: limit} }

// maxLen is how many entries the stream should keep, c's included.
func (e *entrySizes) maxLen(c *prepared) int64 {
	size := int64(entryOverhead + len(c.dict) + len(c.blobs))
	mean := e.mean.Load()
	if mean == 0 {
		mean = size
	}
	mean += (size - mean) / 16
	e.mean.Store(mean)
	return max(e.limit/max(mean, 1), minEntries)
}
