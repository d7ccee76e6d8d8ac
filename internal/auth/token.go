package auth

import (
	"crypto/rand"
	"hash/crc32"
)

const (
	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// secretLen characters hold 27·log2(62) = 160.7 random bits.
	secretLen = 27
	// checkLen characters hold any CRC-32.
	checkLen = 6
	idLen    = 16
	// maxToken bounds what is hashed for a request, and with it a bootstrap key.
	maxToken = 256
)

// newToken returns a fresh key: its kind, a random part, and a checksum of both, so that a scanner of leaked secrets can tell a
// real key from a lookalike without asking a server.
func newToken(kind Kind) string {
	body := string(kind) + "_" + randomText(secretLen)
	return body + checksum(body)
}

// checksum is the CRC-32 of body in base 62.
func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	var out [checkLen]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// randomText returns n random characters of base 62, each equally likely.
func randomText(n int) string {
	out := make([]byte, 0, n)
	var pool [64]byte
	for len(out) < n {
		rand.Read(pool[:]) // never fails: it ends the process instead
		for _, b := range pool {
			if b < 4*62 && len(out) < n { // a plain modulus of 256 would favour the first 8 characters
				out = append(out, base62[b%62])
			}
		}
	}
	return string(out)
}
