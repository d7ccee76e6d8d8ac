package ws

import (
	"strings"
	"testing"
)

// TestSharedFrame_EachItsOwn: clients of one view get the same bytes where they chose the same id and start from the same seq, and their own where not.
func TestSharedFrame_EachItsOwn(t *testing.T) {
	f := newFixture(t, slowTick)
	server := f.serve()
	ids := []string{"a", "a", "b", "a", "long-identifier", "a"}
	clients := make([]*client, len(ids))
	for i, id := range ids {
		clients[i] = greet(t, server, "secret")
		clients[i].send(`{"type":"subscribe","id":"` + id + `","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
		clients[i].expect("snapshot")
	}
	for score := range int64(3) {
		f.hub.Wake(f.source.set("ordinal", "ann", score))
		plain := ""
		for i, c := range clients {
			got := c.expect("delta")
			m := decode(t, got)
			wantEqual(t, m.ID, ids[i])
			if plain == "" {
				plain = got
			}
			wantEqual(t, strings.Replace(got, `"id":"`+ids[i]+`"`, `"id":"a"`, 1), plain)
		}
	}
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	for _, v := range f.hub.views {
		if kept := v.current.Load().shared.of(1).Load(); kept == nil || kept.from != 3 || !strings.Contains(string(kept.bytes), `"id":"`+kept.id+`"`) {
			t.Errorf("kept %+v", kept)
		}
	}
}
