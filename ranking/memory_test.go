package ranking

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// Arrays are zero, begin at cache lines and share no byte, on the heap and in regions, whatever their order and sizes; no more than a region's worth is lost.
func TestMemory_ArraysAreApart(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	m := new(memory)
	var arrays [][]uint64
	regions, words := map[uintptr]bool{}, 0 // words in them
	for n := range 400 {
		size := []int{segmentSize, 4096 + r.IntN(64), 42_000, 1 + r.IntN(100)}[r.IntN(4)]
		onHeap := m.small
		a := array[uint64](m, size)
		if at := uintptr(unsafe.Pointer(&a[0])); len(a) != size || onHeap == m.small && at%alignment != 0 {
			t.Fatalf("array %d of %d words has %d, at %x", n, size, len(a), at)
		}
		if onHeap == m.small {
			regions[uintptr(unsafe.Pointer(&a[0]))/regionBytes], words = true, words+size
		}
		for i := range a {
			if a[i] != 0 {
				t.Fatalf("array %d holds %d at %d", n, a[i], i)
			}
			a[i] = uint64(n + 1)
		}
		arrays = append(arrays, a)
	}
	for n, a := range arrays {
		for i := range a {
			if a[i] != uint64(n+1) {
				t.Fatalf("array %d holds %d at %d", n, a[i], i)
			}
		}
	}
	if taken := len(regions) * regionBytes; taken > 8*words*9/8+regionBytes || taken < 8*words+m.spare() {
		t.Errorf("regions of %d bytes for %d, and %d idle", taken, 8*words, m.spare())
	}
	if m.small > maxSmall && mapRegion() != nil {
		t.Errorf("%d bytes are on the heap", m.small)
	}
}
