package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
)

// Secret is a text that signs, or that verifies what others sign. A catalog's Source never holds one, but its Hint, by which the store has the text; so
// nothing that shows, stores or exports definitions can show a secret.
type Secret struct {
	Hint string
	text string
}

// Reveal returns the text; "" where the source had the hint only.
func (s Secret) Reveal() string { return s.text }

// String is the hint, so that a secret that is printed is not shown.
func (s Secret) String() string { return s.Hint }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return "catalog.Secret(" + s.Hint + ")" }

// SecretUse is a secret that a definition names, and the path where it does.
type SecretUse struct {
	Secret
	Path string
}

const (
	hintMark = "…"
	// hintLen characters of base64 are 48 bits of a hash: two secrets of an org have not the same, and a random one of 192 bits cannot be found by them.
	hintLen = 8
)

// hintOf is what stands for a secret wherever definitions are shown. Of a hint it is the same.
func hintOf(secret string) string {
	if isHint(secret) {
		return secret
	}
	sum := sha256.Sum256([]byte(secret))
	return hintMark + base64.RawURLEncoding.EncodeToString(sum[:])[:hintLen]
}

func isHint(text string) bool { return strings.HasPrefix(text, hintMark) }

var hintPattern = regexp.MustCompile(`^` + hintMark + `[A-Za-z0-9_-]{8}$`)

// SecretPrefix begins the text of a Standard Webhooks secret, before the base64 of its bytes.
const SecretPrefix = "whsec_"

// Lengths of secrets in bytes: of the standard's, decoded; of plain ones as they are written.
const (
	minStandard, maxStandard = 24, 64
	minPlain, maxPlain       = 16, 256
)

// standardSecret says what is wrong with a Standard Webhooks secret, "" for nothing.
func standardSecret(text string) string {
	encoded, ok := strings.CutPrefix(text, SecretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < minStandard || len(key) > maxStandard {
		return "a secret is whsec_ and the base64 of 24 to 64 random bytes"
	}
	return ""
}

// plainSecret says what is wrong with a secret that is used as it is written, "" for nothing.
func plainSecret(text string) string {
	printable := strings.IndexFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) < 0
	if !printable || len(text) < minPlain || len(text) > maxPlain {
		return "a secret for hmac-sha256 is 16 to 256 printable ASCII characters"
	}
	return ""
}

// secretSource is where a definition has its secrets from.
type secretSource struct {
	Secret    namesSource `json:"secret"`
	SecretEnv string      `json:"secret_env"`
}

// secrets reads them. No fault shows a secret.
func (b *builder) secrets(src *secretSource, wrong func(string) string, p path) (secrets []Secret) {
	given := b.report.tree.has(p.to("secret"))
	switch {
	case given && src.SecretEnv != "":
		b.report.at(p.to("secret_env"), "secret and secret_env exclude each other")
	case !given && !b.report.tree.has(p.to("secret_env")):
		b.report.at(p, "one of secret and secret_env is missing")
	}
	for i, text := range src.Secret {
		at := p.to("secret")
		if n := b.report.tree.find(at); n != nil && n.shape == isArray {
			at = at.to(i)
		}
		fault := ""
		switch {
		case text == "": // it was taken out as faulty
			continue
		case isHint(text) && !hintPattern.MatchString(text):
			fault = "this begins as a hint, and is none"
		case !isHint(text):
			fault = wrong(text)
		}
		if fault != "" {
			b.report.at(at, "%s", fault)
			continue
		}
		made := Secret{Hint: hintOf(text)}
		if !isHint(text) {
			made.text = text
		}
		_, where := b.report.tree.locate(at)
		secrets = append(secrets, made)
		b.catalog.Secrets = append(b.catalog.Secrets, SecretUse{made, where})
	}
	return secrets
}

// redact puts hints in the places of secrets in an org's tree.
func (n *node) redact() {
	if n == nil {
		return
	}
	for _, at := range []struct{ list, within string }{{string(Webhooks), ""}, {string(Hooks), "verify"}} {
		list := n.fields[at.list]
		if list == nil {
			continue
		}
		for _, item := range list.items {
			if item = item.under(at.within); item != nil {
				item.fields["secret"].hide()
			}
		}
	}
}

// under is the value under a key, n itself for none.
func (n *node) under(key string) *node {
	if key == "" {
		return n
	}
	return n.fields[key]
}

// hide puts a hint in the place of a secret, or of each of a list.
func (n *node) hide() {
	if n == nil {
		return
	}
	for _, item := range n.items {
		item.hide()
	}
	if text, ok := n.scalar.(string); ok {
		n.scalar = hintOf(text)
	}
}
