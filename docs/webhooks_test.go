package docs

import (
	"os"
	"strings"
	"testing"

	"laurel/internal/catalog"
)

// TestWebhooks_ExamplesAreGood: the hooks that WEBHOOKS.md shows are definitions that are taken.
func TestWebhooks_ExamplesAreGood(t *testing.T) {
	page, err := os.ReadFile("WEBHOOKS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	c, err := catalog.ParseOrg([]byte("id: o\n" + example))
	if err != nil {
		t.Fatal(err)
	}
	if c.Hook("github") == nil || c.Hook("shop") == nil || c.Hook("button") == nil {
		t.Errorf("of three hooks there are %d", len(c.Hooks))
	}
}
