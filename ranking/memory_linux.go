package ranking

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapRegion maps regionBytes of zeros at a multiple of that, and asks for a huge page there, which the system may grant or not
// (/sys/kernel/mm/transparent_hugepage/enabled). It is nil where there is no memory.
func mapRegion() []byte {
	p, err := unix.MmapPtr(-1, 0, nil, 2*regionBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	before := -uintptr(p) & (regionBytes - 1)
	region := unsafe.Add(p, before)
	if before > 0 {
		_ = unix.MunmapPtr(p, before) // to give back what was mapped only for the sake of alignment: if that fails it stays, untouched
	}
	_ = unix.MunmapPtr(unsafe.Add(region, regionBytes), regionBytes-before)
	_ = unix.Madvise(unsafe.Slice((*byte)(region), regionBytes), unix.MADV_HUGEPAGE) // refused by a kernel without huge pages
	return unsafe.Slice((*byte)(region), regionBytes)
}

func unmapRegion(p unsafe.Pointer) { _ = unix.MunmapPtr(p, regionBytes) }
