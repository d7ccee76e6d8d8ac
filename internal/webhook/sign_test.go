package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"laurel/internal/catalog"
)

const (
	oneSecret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

// TestSign_KnownVector is the example of the standard's own documents.
func TestSign_KnownVector(t *testing.T) {
	h := http.Header{}
	body := []byte(`{"test": 2432232314}`)
	if err := sign(h, []string{oneSecret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), body); err != nil {
		t.Fatal(err)
	}
	if got := h.Get(HeaderSignature); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || h.Get(HeaderTimestamp) != "1614265330" {
		t.Errorf("%v", h)
	}
}

// TestSign_VerifiesElsewhere: the standard's own library takes what is signed here, by either secret while they change; and the other way round.
func TestSign_VerifiesElsewhere(t *testing.T) {
	body, h := []byte(`{"id":"1-0","type":"ü"}`), http.Header{}
	if err := sign(h, []string{otherSecret, oneSecret}, "evt_1-0", time.Now(), body); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{oneSecret, otherSecret} {
		theirs, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := theirs.Verify(body, h); err != nil {
			t.Errorf("their verdict: %v", err)
		}
		if theirs.Verify([]byte("{}"), h) == nil {
			t.Error("they take any body")
		}
		at := time.Now()
		signature, err := theirs.Sign("m", at, body)
		if err != nil {
			t.Fatal(err)
		}
		by := http.Header{}
		by.Set(HeaderID, "m")
		by.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
		by.Set(HeaderSignature, "v1a,xyz "+signature)
		if err := Verify(&catalog.Verify{}, []string{"whsec_", secret}, by, body, at); err != nil {
			t.Errorf("our verdict: %v", err)
		}
	}
}

func TestVerify_Refuses(t *testing.T) {
	now, body := time.Now(), []byte("{}")
	signed := func(change func(http.Header)) http.Header {
		h := http.Header{}
		if err := sign(h, []string{oneSecret}, "m", now, body); err != nil {
			t.Fatal(err)
		}
		change(h)
		return h
	}
	for name, h := range map[string]http.Header{
		"nothing":      {},
		"other id":     signed(func(h http.Header) { h.Set(HeaderID, "n") }),
		"other time":   signed(func(h http.Header) { h.Set(HeaderTimestamp, strconv.FormatInt(now.Unix()+1, 10)) }),
		"no time":      signed(func(h http.Header) { h.Set(HeaderTimestamp, "now") }),
		"no signature": signed(func(h http.Header) { h.Del(HeaderSignature) }),
		"other scheme": signed(func(h http.Header) { h.Set(HeaderSignature, "v1a"+h.Get(HeaderSignature)[2:]) }),
	} {
		if err := Verify(&catalog.Verify{}, []string{oneSecret}, h, body, now); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := signed(func(http.Header) {})
	if Verify(&catalog.Verify{}, []string{oneSecret}, good, body, now) != nil || Verify(&catalog.Verify{}, []string{oneSecret}, good, body, now.Add(-tolerance)) != nil {
		t.Error("what is good is refused")
	}
	for name, at := range map[string]time.Time{"late": now.Add(tolerance + 2*time.Second), "early": now.Add(-tolerance - 2*time.Second)} {
		if err := Verify(&catalog.Verify{}, []string{oneSecret}, good, body, at); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Verify(&catalog.Verify{}, []string{otherSecret}, good, body, now); !errors.Is(err, ErrUnsigned) {
		t.Errorf("by another secret: %v", err)
	}
	if err := Verify(&catalog.Verify{}, nil, good, body, now); !errors.Is(err, ErrNoSecret) {
		t.Errorf("by no secret: %v", err)
	}
}

func TestVerify_OwnHeader(t *testing.T) {
	const secret = "It's a Secret to Everybody"
	body := []byte("Hello, World!")
	// The example of GitHub's documents.
	v := &catalog.Verify{Header: "X-Hub-Signature-256", Prefix: "sha256="}
	h := http.Header{}
	h.Set("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	if err := Verify(v, []string{"another one of them", secret}, h, body, time.Now()); err != nil {
		t.Error(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	for text, good := range map[string]bool{"": false, "sha256=": false, "sha256=zz": false, hex.EncodeToString(mac.Sum(nil)): false, "sha1=" + hex.EncodeToString(mac.Sum(nil)): false} {
		h.Set("X-Hub-Signature-256", text)
		if err := Verify(v, []string{secret}, h, body, time.Now()); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
	h.Set("X-Own", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	if err := Verify(&catalog.Verify{Header: "X-Own", Base64: true}, []string{secret}, h, body, time.Now()); err != nil {
		t.Error(err)
	}
}
