package ranking

import (
	"runtime"
	"unsafe"
)

// memory is where the large arrays of one index lie: leaves, inner nodes, records and the table. From some size on they lie in regions outside of the heap, which the
// system may map with huge pages: half of what random reads of a large board wait for is memory, and part of that the translation of addresses. And what lies there
// does not count for the collector, which lets garbage grow to a multiple of what lives: beside a large board on the heap that is a multiple of the board.
//
// Regions are given back when the memory object is collected. So who holds a node has to keep the index alive: the exported methods of Index do it themselves, those of
// Board by the lock that they give back at their end. Where the system gives no region, all of it is on the heap.
//
// The zero value is ready; it is not safe for concurrent use.
type memory struct {
	small int      // bytes that were taken from the heap
	rests [][]byte // of regions: what is not in use yet, in pieces that are worth keeping
	eager bool     // regions from the first byte on, for tests
}

const (
	regionBytes = 2 << 20 // a huge page, and aligned as one
	maxSmall    = 4 << 20 // on the heap before the first region: the last region, which is seldom full, adds little to what so many bytes are
	leastRest   = 8 << 10
	alignment   = 64 // of pieces: a cache line
)

// array makes an array of n zeros, which must be free of pointers: the collector does not see them.
func array[T any](m *memory, n int) []T {
	var v T
	if p := m.piece(n * int(unsafe.Sizeof(v))); p != nil {
		return unsafe.Slice((*T)(p), n)
	}
	return make([]T, n)
}

// piece is so much of a region, or nil if it is to be taken from the heap.
func (m *memory) piece(size int) unsafe.Pointer {
	size = (size + alignment - 1) &^ (alignment - 1)
	if size > regionBytes || m.small+size <= maxSmall && !m.eager {
		m.small += size
		return nil
	}
	for i, rest := range m.rests {
		if len(rest) >= size {
			m.leave(i, rest[size:])
			return unsafe.Pointer(unsafe.SliceData(rest))
		}
	}
	region := mapRegion()
	if region == nil {
		m.small += size
		return nil
	}
	runtime.AddCleanup(m, unmapRegion, unsafe.Pointer(unsafe.SliceData(region)))
	m.rests = append(m.rests, nil)
	m.leave(len(m.rests)-1, region[size:])
	return unsafe.Pointer(unsafe.SliceData(region))
}

// leave notes what is left of rest i, if it is worth it.
func (m *memory) leave(i int, rest []byte) {
	if len(rest) >= leastRest {
		m.rests[i] = rest
		return
	}
	last := len(m.rests) - 1
	m.rests[i] = m.rests[last]
	m.rests = m.rests[:last]
}

// spare is how many bytes of regions are in no array.
func (m *memory) spare() (n int) {
	for _, rest := range m.rests {
		n += len(rest)
	}
	return n
}
