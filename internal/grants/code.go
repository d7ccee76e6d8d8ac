package grants

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"laurel/internal/activity"
)

// signs are what codes are made of: 32 digits and letters of which no two look alike.
const signs = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// placeholder stands for a sign in a reward's code.
const placeholder = '#'

// Code makes the code of a grant by a pattern: of one attempt always the same, so that whoever tries again comes to it, and not to be guessed without the secret.
func Code(secret []byte, pattern string, org activity.Org, user activity.User, grant string, attempt int) string {
	var stream []byte
	var b strings.Builder
	for i := range len(pattern) {
		if pattern[i] != placeholder {
			b.WriteByte(pattern[i])
			continue
		}
		if len(stream) == 0 {
			stream = block(secret, string(org), string(user), grant, attempt, b.Len())
		}
		b.WriteByte(signs[stream[0]%byte(len(signs))]) // of 256 values each sign has 8
		stream = stream[1:]
	}
	return b.String()
}

func block(secret []byte, org, user, grant string, numbers ...int) []byte {
	mac := hmac.New(sha256.New, secret)
	var b []byte
	for _, part := range []string{org, user, grant} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	_, _ = mac.Write(b)
	return mac.Sum(nil)
}

// HoldOf is what a stock knows a user's grant by. It does not name the user, who may be deleted while the piece stays used.
func HoldOf(user activity.User, grant string) string {
	b := append(binary.AppendUvarint(nil, uint64(len(user))), user...)
	sum := sha256.Sum256(append(b, grant...))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
