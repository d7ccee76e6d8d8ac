package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/feed"
)

func TestParseKey_UndoesTheMakers(t *testing.T) {
	for _, tt := range []struct {
		key  Key
		want Named
	}{
		{StateKey(3, "o", "a:b:c"), Named{Partition: 3, Kind: StateOf, Org: "o", User: "a:b:c"}},
		{ColdKey(0, "o", "}:x:"), Named{Kind: ColdOf, Org: "o", User: "}:x:"}},
		{ProfileKey(0, "o", "u"), Named{Kind: ProfileOf, Org: "o", User: "u"}},
		{LogKey(12, "o-1_2", "ü"), Named{Partition: 12, Kind: LogOf, Org: "o-1_2", User: "ü"}},
		{BoardKey(0, feed.Board{Org: "o", Rule: "r.current", Label: "all"}), Named{Kind: BoardOf, Org: "o", Board: feed.Board{Org: "o", Rule: "r.current", Label: "all"}}},
		{ImportKey("o", "X"), Named{Kind: ImportOf, Org: "o", Import: "X"}},
		{FenceKey(0, "o"), Named{}},
		{DueKey(0), Named{}},
		{ChangesKey(0), Named{}},
		{MetaKey(0), Named{}},
		{KeysKey(), Named{}},
		{CatalogKey("o"), Named{}},
		{BackfillKey("o"), Named{}},
		{"{x}:u:o:u", Named{}},
		{"elsewhere", Named{}},
	} {
		if diff := cmp.Diff(tt.want, parseKey(string(tt.key))); diff != "" {
			t.Errorf("%q: %s", tt.key, diff)
		}
	}
}
