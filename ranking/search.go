package ranking

// probe is an entry to search for, in the terms of the tree.
type probe struct {
	value, reached int64
	id             string
}

func (x *Index) probe(e Entry) probe {
	return probe{x.order.sortable(e.Value), int64(e.Reached), string(e.User)}
}

// upper is how many of the first n keys are at or before q.
func (x *Index) upper(k *keys, n int, q *probe) int {
	// First the lower bound of the value alone: the loop runs as often for every q, and its one condition is a move, not
	// a jump that the processor would guess wrong half of the time.
	lo, m := 0, n
	for m > 1 {
		half := m / 2
		if next := lo + half; k.value[(next-1)&(width-1)] < q.value {
			lo = next
		}
		m -= half
	}
	if m == 1 && k.value[lo&(width-1)] < q.value {
		lo++
	}
	for hi := n; lo < hi; {
		mid := int(uint(lo+hi) / 2)
		if x.isAfter(k, mid, q) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// isAfter says whether key i is ordered after q.
func (x *Index) isAfter(k *keys, i int, q *probe) bool {
	if v := k.value[i]; v != q.value {
		return v > q.value
	}
	if r := k.reached[i]; r != q.reached {
		return r > q.reached
	}
	return x.users.id(k.user[i]) > q.id
}
