package ranking

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/feed"
)

func TestRevision_ReadsWhatItWrites(t *testing.T) {
	position := rapid.Custom(func(t *rapid.T) feed.Position {
		return feed.Position{Ms: rapid.Uint64().Draw(t, "ms"), Seq: rapid.Uint64().Draw(t, "seq")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var r Revision
		for range rapid.IntRange(0, 20).Draw(t, "partitions") {
			r.marks = append(r.marks, mark{rapid.String().Draw(t, "epoch"), position.Draw(t, "through"), position.Draw(t, "top")})
		}
		got, err := ParseRevision(r.String())
		if err != nil || !got.Equal(r) {
			t.Fatalf("%+v came back as %+v, %v", r, got, err)
		}
		if s := r.String(); strings.ContainsAny(s, "+/=\" ") {
			t.Fatalf("%q is not fit for a URL", s)
		}
	})
}

func FuzzParseRevision(f *testing.F) {
	for _, s := range []string{"", "AA", "AQA", "!", "AQVmaXJzdAECAwQ", "gAA", "_____w8", strings.Repeat("A", maxRevision+1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRevision(s)
		switch {
		case err == nil && r.String() != s:
			t.Errorf("%q is another text for %q", s, r)
		case err != nil && !errors.Is(err, ErrBadRevision):
			t.Errorf("%q: %v", s, err)
		}
	})
}
