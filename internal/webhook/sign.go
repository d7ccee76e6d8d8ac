package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"laurel/internal/catalog"
)

// Headers of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// tolerance is how far a sender's clock may be off, and how long a message may be on its way.
const tolerance = 5 * time.Minute

// ErrUnsigned says that what was sent is not signed by the secret, or not lately.
var ErrUnsigned = errors.New("the signature is missing, or is not of this body and the secret")

// ErrNoSecret says that there is nothing to sign or to verify by: the variable is not set, or the definition came from a backup without secrets.
var ErrNoSecret = errors.New("no secret is known here")

// keyOf is the key of a Standard Webhooks secret.
func keyOf(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, catalog.SecretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) == 0 {
		return nil, errors.New("this is no secret of Standard Webhooks")
	}
	return key, nil
}

// sum is the HMAC-SHA256 of id.timestamp.body.
func sum(key []byte, id, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// sign sets the headers of a message: a signature by each of the secrets.
func sign(header http.Header, secrets []string, id string, at time.Time, body []byte) error {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, secret := range secrets {
		key, err := keyOf(secret)
		if err != nil {
			return err
		}
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(sum(key, id, timestamp, body)))
	}
	if len(signatures) == 0 {
		return ErrNoSecret
	}
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, timestamp)
	header.Set(HeaderSignature, strings.Join(signatures, " "))
	return nil
}

// Verify says whether what was sent is signed as v asks for, by any of the secrets. It takes the same time whatever differs. ErrUnsigned, ErrNoSecret.
func Verify(v *catalog.Verify, secrets []string, header http.Header, body []byte, now time.Time) error {
	if len(secrets) == 0 {
		return ErrNoSecret
	}
	if v.Header != "" {
		return verifyBody(v, secrets, header.Get(v.Header), body)
	}
	id, timestamp := header.Get(HeaderID), header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrUnsigned
	}
	for _, secret := range secrets {
		key, err := keyOf(secret)
		if err != nil {
			continue
		}
		want := sum(key, id, timestamp, body)
		for signature := range strings.FieldsSeq(header.Get(HeaderSignature)) {
			version, encoded, _ := strings.Cut(signature, ",")
			got, err := base64.StdEncoding.DecodeString(encoded)
			if version == "v1" && err == nil && hmac.Equal(got, want) {
				return nil
			}
		}
	}
	return ErrUnsigned
}

// verifyBody compares the HMAC-SHA256 of the body with what a header of the sender's own says.
func verifyBody(v *catalog.Verify, secrets []string, text string, body []byte) error {
	encoded, ok := strings.CutPrefix(text, v.Prefix)
	decode := hex.DecodeString
	if v.Base64 {
		decode = base64.StdEncoding.DecodeString
	}
	got, err := decode(encoded)
	if !ok || err != nil {
		return ErrUnsigned
	}
	for _, secret := range secrets {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write(body)
		if hmac.Equal(got, h.Sum(nil)) {
			return nil
		}
	}
	return ErrUnsigned
}
