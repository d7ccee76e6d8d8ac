package ranking

import (
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A region lasts as long as its index does, and not longer.
func TestMemory_RegionsAreGivenBack(t *testing.T) {
	x := NewIndex(Descending)
	x.mem.eager = true
	for i := range 20_000 {
		x.Upsert(Entry{User: userID(i), Value: int64(i)})
	}
	first := unsafe.Pointer(&x.leaves[1][0])
	if uintptr(first)%regionBytes != 0 && len(x.mem.rests) == 0 {
		t.Fatal("nothing lies in a region")
	}
	runtime.GC()
	if !mapped(first) {
		t.Fatal("a region is gone while its index is in use")
	}
	if rank, ok := x.Rank(userID(0), Ordinal); !ok || rank != 20_000 {
		t.Errorf("the last has rank %d, %v", rank, ok)
	}
	x = nil
	for range 1000 { // cleanups run beside, some time after a collection
		if runtime.GC(); !mapped(first) {
			return
		}
	}
	t.Error("a region is there after its index has gone")
}

func mapped(p unsafe.Pointer) bool {
	page := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(p)&^4095)), 4096)
	return unix.Madvise(page, unix.MADV_NORMAL) == nil // ENOMEM where nothing is mapped
}
