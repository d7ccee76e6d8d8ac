package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/store"
)

const (
	oneSecret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func withWebhook(secret string) string {
	return "id: git\nwebhooks:\n  - {id: w, url: 'https://example.com', secret: " + secret + "}\n"
}

func parsed(t *testing.T, source string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.ParseOrg([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRegistry_KeepsSecretsBesideTheCatalog: they come with the definition that has them, stay while one names them, and go with the last that does.
func TestRegistry_KeepsSecretsBesideTheCatalog(t *testing.T) {
	s := openStore(t, 2)
	r := node(t, s)
	secrets := func() (texts []string) {
		t.Helper()
		h, err := r.HookState(t.Context(), "git")
		if err != nil {
			t.Fatal(err)
		}
		for hint, text := range h.Secrets {
			if !strings.HasPrefix(hint, "…") {
				t.Errorf("a hint %q", hint)
			}
			texts = append(texts, text)
		}
		return texts
	}
	first := parsed(t, withWebhook(oneSecret))
	published, err := r.Publish(t.Context(), first, "", true)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(published.Catalog.Source), oneSecret) {
		t.Error("the stored catalog has the secret")
	}
	if diff := cmp.Diff([]string{oneSecret}, secrets()); diff != "" {
		t.Error(diff)
	}
	shown := parsed(t, string(first.Source)) // as whoever reads the catalog and writes it again
	if e, err := r.Publish(t.Context(), shown, published.Version, false); err != nil || e.Version != published.Version {
		t.Errorf("what was read, written again: %v", err)
	}
	both := parsed(t, withWebhook("["+first.Secrets[0].Hint+", "+otherSecret+"]"))
	if _, err := r.Publish(t.Context(), both, "", true); err != nil || len(secrets()) != 2 {
		t.Errorf("rotating: %v, %v", secrets(), err)
	}
	if _, err := r.Publish(t.Context(), parsed(t, withWebhook(otherSecret)), "", true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{otherSecret}, secrets()); diff != "" {
		t.Error(diff)
	}
	var faults catalog.Faults
	if _, err := r.Publish(t.Context(), asStored(t, first), "", true); !errors.As(err, &faults) || faults[0].Path != "webhooks[0].secret" {
		t.Errorf("a hint of a secret that is gone: %v", err)
	}
	if _, err := r.Publish(t.Context(), parsed(t, "id: git\n"), "", true); err != nil || len(secrets()) != 0 {
		t.Errorf("without the webhook: %v, %v", secrets(), err)
	}
	if _, err := r.Restore(t.Context(), asStored(t, first), nil); err != nil {
		t.Errorf("of a backup without secrets: %v", err)
	}
	if _, err := r.Restore(t.Context(), asStored(t, first), map[string]string{first.Secrets[0].Hint: oneSecret}); err != nil || len(secrets()) != 1 {
		t.Errorf("of a backup: %v, %v", secrets(), err)
	}
}

// asStored is a catalog as the store has it: with hints only.
func asStored(t *testing.T, c *catalog.Catalog) *catalog.Catalog { return parsed(t, string(c.Source)) }

// TestRegistry_WebhooksBeginWithTheirPublication: where one begins is noted once, and forgotten, with how far it was sent, when it is gone.
func TestRegistry_WebhooksBeginWithTheirPublication(t *testing.T) {
	s := openStore(t, 2)
	r := node(t, s)
	begin := func() []feed.Position {
		t.Helper()
		h, err := r.HookState(t.Context(), "git")
		if err != nil {
			t.Fatal(err)
		}
		return h.From["w"]
	}
	tell := func(p store.Partition, expect store.Version) store.Version {
		t.Helper()
		g := store.Group{Org: "git", User: "u", Doc: store.ColdKey(p, "git", "u"), Expect: expect, Content: []byte("x"), Events: [][]byte{[]byte(`{"type":"a"}`)}}
		res, err := s.Commit(t.Context(), p, []store.Group{g})
		if err != nil {
			t.Fatal(err)
		}
		return res.Version
	}
	v := tell(1, "")
	if _, err := r.Publish(t.Context(), parsed(t, withWebhook(oneSecret)), "", true); err != nil {
		t.Fatal(err)
	}
	first := begin()
	if len(first) != 2 || first[0] != (feed.Position{Seq: 1}) || first[1].Ms == 0 {
		t.Errorf("begins at %v", first)
	}
	tell(1, v)
	if _, err := r.Publish(t.Context(), parsed(t, withWebhook(otherSecret)), "", true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, begin()); diff != "" {
		t.Error(diff)
	}
	doc := store.Group{Doc: store.WebhookKey("git", "w"), Content: []byte("{}")}
	if _, err := s.Commit(t.Context(), 0, []store.Group{doc}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Publish(t.Context(), parsed(t, "id: git\n"), "", true); err != nil {
		t.Fatal(err)
	}
	docs, err := s.Docs(t.Context(), []store.Key{doc.Doc})
	if err != nil || docs[0].Version != "" || begin() != nil {
		t.Errorf("a webhook that is gone is known: %v, %v", begin(), err)
	}
	if _, err := r.Publish(t.Context(), parsed(t, withWebhook(otherSecret)), "", true); err != nil {
		t.Fatal(err)
	}
	if again := begin(); again[1].Compare(first[1]) <= 0 {
		t.Errorf("one of the same id begins at %v, as the one before", again)
	}
}
