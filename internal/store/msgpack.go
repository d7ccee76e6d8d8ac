package store

import "encoding/binary"

// The script takes its plan and most values as MessagePack, which cmsgpack turns into Lua values in one C call: cheaper than an argument each, which
// would be read from the connection, held as an object, and copied. Only arrays, strings and whole numbers ≥ 0 are needed.

func packArray(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, 0x90|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0xdc), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, 0xdd), uint32(n))
	}
}

// packedHead is the room that closeArray needs at the beginning.
const packedHead = 5

// closeArray makes an array of the n values that were packed into b behind packedHead bytes.
func closeArray(b []byte, n int) []byte {
	b[0] = 0xdd
	binary.BigEndian.PutUint32(b[1:packedHead], uint32(n))
	return b
}

func packInt(b []byte, n int) []byte {
	switch {
	case n < 128:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0xcd), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, 0xce), uint32(n))
	}
}

func packInts(b []byte, ns []int) []byte {
	b = packArray(b, len(ns))
	for _, n := range ns {
		b = packInt(b, n)
	}
	return b
}

// packHead begins a string of n bytes.
func packHead(b []byte, n int) []byte {
	switch {
	case n < 32:
		return append(b, 0xa0|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 0xda), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(n))
	}
}

func packText[S ~string](b []byte, s S) []byte { return append(packHead(b, len(s)), s...) }
