package activity

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
)

func drawTransfer(t *rapid.T) Transfer {
	tr := Transfer{Org: "o", ID: ID(rapid.String().Draw(t, "id")), Name: rapid.String().Draw(t, "name"), At: calendar.Instant(rapid.Int64Range(0, 1<<48).Draw(t, "at")),
		Imported: rapid.Bool().Draw(t, "imported"), Turn: rapid.Uint32().Draw(t, "turn"), Effect: drawEffect(t)}
	for range rapid.IntRange(1, 4).Draw(t, "users") {
		tr.To = append(tr.To, User(rapid.String().Draw(t, "user")))
	}
	if meta := rapid.SliceOf(rapid.Byte()).Draw(t, "meta"); len(meta) > 0 {
		tr.Meta = meta
	}
	return tr
}

func TestTransfer_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := drawTransfer(t)
		body := string(tr.Append(nil))
		got, err := ParseTransfer(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tr, got); diff != "" {
			t.Fatal(diff)
		}
		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		for _, bad := range []string{body[:cut], body + "x"} {
			if _, err := ParseTransfer(bad); !errors.Is(err, ErrBadTransfer) {
				t.Fatalf("%q: %v", bad, err)
			}
		}
	})
}

func TestTransfer_Credit(t *testing.T) {
	tr := Transfer{Org: "o", To: []User{"ann"}, ID: "gift:bob:1", Name: "coffee", Meta: []byte(`{"from":"bob"}`), At: 7, Effect: Effect{Rows: []Row{{Wallet: "coins", Amount: 3}}}}
	for turn, status := range map[uint32]Status{0: Accepted, 1: Rejected, 2: Accepted} {
		tr.Turn = turn
		want := Activity{ID: "gift:bob:1", User: "ann", Kind: Credit, Name: "coffee", Meta: tr.Meta, At: 7, Status: status, Decided: &Decided{Own: tr.Effect, Turn: turn}}
		if diff := cmp.Diff(want, tr.Credit("ann")); diff != "" {
			t.Errorf("turn %d (-want +got):\n%s", turn, diff)
		}
	}
}

func FuzzParseTransfer(f *testing.F) {
	tr := Transfer{Org: "o", To: []User{"a", "b"}, ID: "prize:p:2026-W47", Name: "p", Turn: 2, Effect: Effect{Rewards: []string{"mug"}}}
	f.Add(string(tr.Append(nil)))
	f.Add("")
	f.Add("\x01\x00\xff\xff\xff\xff\x0f")
	f.Fuzz(func(t *testing.T, body string) {
		tr, err := ParseTransfer(body)
		if err != nil {
			return
		}
		if again, err := ParseTransfer(string(tr.Append(nil))); err != nil || cmp.Diff(tr, again) != "" {
			t.Errorf("%+v became %+v, %v", tr, again, err)
		}
	})
}
