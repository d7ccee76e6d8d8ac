package activity

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
)

func drawActivity(t *rapid.T) Activity {
	a := Activity{
		ID: ID(rapid.StringN(1, 20, 128).Draw(t, "id")), User: "u", Kind: Kind(rapid.IntRange(0, int(Credit)).Draw(t, "kind")),
		Name: rapid.String().Draw(t, "name"), HasValue: rapid.Bool().Draw(t, "has value"),
		At: calendar.Instant(rapid.Int64Range(0, 1<<48).Draw(t, "at")), Offset: int16(rapid.IntRange(-1439, 1439).Draw(t, "offset")),
		AtGiven: rapid.Bool().Draw(t, "at given"), Received: calendar.Instant(rapid.Int64Range(0, 1<<48).Draw(t, "received")),
		Status: Status(rapid.IntRange(0, int(Ignored)).Draw(t, "status")), Imported: rapid.Bool().Draw(t, "imported"),
		WasIgnored: rapid.Bool().Draw(t, "was ignored"), Reason: rapid.String().Draw(t, "reason"),
	}
	if a.HasValue {
		a.Value = rapid.Float64().Draw(t, "value")
	}
	if meta := rapid.SliceOf(rapid.Byte()).Draw(t, "meta"); len(meta) > 0 {
		a.Meta = meta
	}
	for range rapid.IntRange(0, 2).Draw(t, "attributes") {
		a.Attributes = append(a.Attributes, Attribute{Name: rapid.String().Draw(t, "attribute"), Value: rapid.String().Draw(t, "value of it")})
	}
	if rapid.Bool().Draw(t, "decided") {
		a.Decided = &Decided{Own: drawEffect(t), Other: drawEffect(t), Turn: rapid.Uint32().Draw(t, "turn"), From: User(rapid.SampledFrom([]string{"", "ann"}).Draw(t, "from"))}
	}
	return a
}

func drawEffect(t *rapid.T) (e Effect) {
	for range rapid.IntRange(0, 2).Draw(t, "rows") {
		e.Rows = append(e.Rows, Row{Wallet: rapid.String().Draw(t, "wallet"), Decimals: rapid.Byte().Draw(t, "decimals"), Type: rapid.Byte().Draw(t, "type"),
			Category: rapid.Byte().Draw(t, "category"), Amount: rapid.Int64().Draw(t, "amount")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "rewards") {
		e.Rewards = append(e.Rewards, rapid.String().Draw(t, "reward"))
	}
	e.Achieved = rapid.String().Draw(t, "achieved")
	return e
}

func TestRecord_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawActivity(t)
		record := string(a.AppendRecord([]byte("x"))[1:])
		got, err := ParseRecord(a.User, a.ID, record)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, got); d != "" {
			t.Fatal(d)
		}
		// No part of a record, and nothing longer, is one.
		cut := rapid.IntRange(0, len(record)-1).Draw(t, "cut")
		if _, err := ParseRecord(a.User, a.ID, record[:cut]); !errors.Is(err, ErrBadRecord) {
			t.Fatalf("the first %d bytes of %d: %v", cut, len(record), err)
		}
		if _, err := ParseRecord(a.User, a.ID, record+"x"); !errors.Is(err, ErrBadRecord) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

// A record of the first versions, which knew no attributes, is read as ever.
func TestRecord_Old(t *testing.T) {
	const old = "\x01\x88\x03\x0a\x04\x78\x03run\x03cap"
	want := Activity{ID: "1", User: "u", Kind: Gift, Name: "run", At: 5, Received: 7, Offset: 60, AtGiven: true, Reason: "cap"}
	got, err := ParseRecord("u", "1", old)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if again := string(want.AppendRecord(nil)); again != old {
		t.Errorf("written as %q", again)
	}
}

func TestSamePayload(t *testing.T) {
	a := Activity{ID: "1", User: "u", Name: "run", Value: 2, HasValue: true, Meta: []byte(`{"a":1}`), At: 5, Offset: 60, AtGiven: true}
	tests := map[string]struct {
		change func(*Activity)
		same   bool
	}{
		"nothing": {func(*Activity) {}, true},
		"what the server notes": {func(b *Activity) {
			b.Received, b.Status, b.Imported, b.Reason = 9, Rejected, true, "r"
			b.Attributes = []Attribute{{"country", "AT"}}
			b.Decided = &Decided{Turn: 1}
		}, true},
		"kind":                      {func(b *Activity) { b.Kind = Gift }, false},
		"name":                      {func(b *Activity) { b.Name = "walk" }, false},
		"value":                     {func(b *Activity) { b.Value = 3 }, false},
		"no value":                  {func(b *Activity) { b.Value, b.HasValue = 0, false }, false},
		"meta":                      {func(b *Activity) { b.Meta = nil }, false},
		"at":                        {func(b *Activity) { b.At++ }, false},
		"same at at another offset": {func(b *Activity) { b.Offset = 0 }, false},
		"at left out":               {func(b *Activity) { b.At, b.Offset, b.AtGiven = 77, 0, false }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := a
			tt.change(&b)
			if a.SamePayload(&b) != tt.same || b.SamePayload(&a) != tt.same {
				t.Errorf("same is not %v both ways", tt.same)
			}
		})
	}
}

func TestKind_Words(t *testing.T) {
	for k := Behaviour; k <= Bounty; k++ {
		if got, ok := ParseKind(k.String()); !ok || got != k {
			t.Errorf("%v is read as %v, %v", k, got, ok)
		}
	}
	if k, ok := ParseKind(""); !ok || k != Behaviour {
		t.Error("no kind is not behaviour")
	}
	for _, s := range []string{"prize", "credit"} {
		if _, ok := ParseKind(s); ok {
			t.Errorf("%s is a kind that may come in", s)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	a := Activity{Name: "run", Kind: Gift, HasValue: true, Value: math.Pi, Meta: []byte(`{}`), At: 1 << 40, Received: 1, Offset: -60, Status: Ignored, WasIgnored: true, Reason: "cap"}
	f.Add(string(a.AppendRecord(nil)))
	a.Decided = &Decided{Own: Effect{Rows: []Row{{Wallet: "w", Amount: -1}}, Achieved: "a:2026"}, Other: Effect{Rewards: []string{"mug"}}, Turn: 3}
	f.Add(string(a.AppendRecord(nil)))
	f.Add("")
	f.Add("\x01\x03\x00\x00\x00\x00\x00")
	f.Add("\x01\x00\xff\x00\x00\x00\x00")
	f.Fuzz(func(t *testing.T, record string) {
		a, err := ParseRecord("u", "1", record)
		if err != nil {
			if !errors.Is(err, ErrBadRecord) {
				t.Errorf("unnamed error %v", err)
			}
			return
		}
		size := len(a.Name) + len(a.Meta) + len(a.Reason)
		for _, attribute := range a.Attributes {
			size += len(attribute.Name) + len(attribute.Value)
		}
		if size > len(record) {
			t.Error("more text than there were bytes")
		}
		_ = a.Kind.String() + a.Status.String() // known words, or it was no record
		again, err := ParseRecord("u", "1", string(a.AppendRecord(nil)))
		if err != nil || again.At != a.At || again.Name != a.Name || again.Received != a.Received {
			t.Errorf("%+v became %+v, %v", a, again, err)
		}
	})
}
