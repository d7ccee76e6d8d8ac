package closing

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/feed"
)

func TestCursor_HasOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := make(cursor, rapid.IntRange(1, 40).Draw(t, "partitions"))
		for p := range c {
			c[p] = feed.Position{Ms: rapid.Uint64().Draw(t, "ms"), Seq: rapid.Uint64().Draw(t, "seq")}
		}
		back, err := parseCursor(c.String(), len(c))
		if diff := cmp.Diff(c, back); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
		if _, err := parseCursor(c.String(), len(c)+1); !errors.Is(err, ErrBadCursor) {
			t.Fatalf("of another number of partitions: %v", err)
		}
		text := rapid.String().Draw(t, "text")
		if back, err := parseCursor(text, len(c)); err == nil && text != "" && back.String() != text {
			t.Fatalf("%q and %q are one cursor", text, back)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{{Ms: 1, Seq: 2}, {}, {Ms: 5}}.String())
	f.Add(".gAA")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseCursor(text, 3); err == nil && text != "" && c.String() != text {
			t.Errorf("%q and %q are one cursor", text, c)
		}
	})
}
