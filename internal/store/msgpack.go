package store

import "encoding/binary"

// The script takes its plan as MessagePack, which cmsgpack turns into Lua tables in one C call: cheaper than a number a value, each of which
// would be a string to parse. Only arrays and whole numbers ≥ 0 are needed.

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
