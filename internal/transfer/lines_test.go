package transfer

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/internal/rewards"
	"laurel/streaks"
)

// carry takes an activity to a line and back.
func carry(t interface{ Fatal(...any) }, a activity.Activity) activity.Activity {
	b, err := encode(lineOfActivity(&a))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(b, []byte("\n")) != 1 || !json.Valid(b) {
		t.Fatal("not one line of JSON: ", string(b))
	}
	parsed, err := parseLine(typeActivity, b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsed.(*activityLine).activity(a.User)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestActivity_EveryFieldIsCarried fails when a field is added to an activity and not to the format: write it in lineOfActivity, read it in activity.
func TestActivity_EveryFieldIsCarried(t *testing.T) {
	of := reflect.TypeFor[activity.Activity]()
	for i := range of.NumField() {
		a := activity.Activity{ID: "1", User: "u", Name: "n", At: 5}
		f := reflect.ValueOf(&a).Elem().Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int16, reflect.Int64:
			f.SetInt(77)
		case reflect.Uint8:
			f.SetUint(1)
		case reflect.Float64:
			a.HasValue = true
			f.SetFloat(1.5)
		case reflect.Pointer:
			a.Decided = &activity.Decided{Turn: 3,
				Own:   activity.Effect{Rows: []activity.Row{{Wallet: "w", Decimals: 2, Type: uint8(rewards.Spend), Amount: -5}}, Achieved: "a:2026"},
				Other: activity.Effect{Rows: []activity.Row{{Wallet: "w", Category: uint8(catalog.Loyalty), Amount: 5}}, Rewards: []string{"mug"}}}
		case reflect.Slice:
			switch of.Field(i).Name {
			case "Meta":
				f.SetBytes([]byte(`{"a":1}`))
			case "Attributes":
				f.Set(reflect.ValueOf([]activity.Attribute{{Name: "country", Value: "AT"}, {Name: "team", Value: ""}}))
			default:
				t.Errorf("say how to set %s", of.Field(i).Name)
			}
		default:
			t.Errorf("say how to set %s", of.Field(i).Name)
		}
		if diff := cmp.Diff(a, carry(t, a)); diff != "" {
			t.Errorf("%s is lost\n%s", of.Field(i).Name, diff)
		}
	}
}

func TestActivity_RoundTrip(t *testing.T) {
	text := rapid.StringN(1, 20, 100)
	rapid.Check(t, func(t *rapid.T) {
		a := activity.Activity{
			ID: activity.ID(text.Draw(t, "id")), User: "u", Kind: activity.Kind(rapid.IntRange(0, int(activity.Credit)).Draw(t, "kind")),
			Name: text.Draw(t, "name"), HasValue: rapid.Bool().Draw(t, "has value"), AtGiven: rapid.Bool().Draw(t, "given"),
			At: calendar.Instant(rapid.Int64Range(0, 253_402_300_799_999-2*86_400_000).Draw(t, "at")), Offset: int16(rapid.IntRange(-1439, 1439).Draw(t, "offset")),
			Received: calendar.Instant(rapid.Int64Range(0, 1<<45).Draw(t, "received")), Status: activity.Status(rapid.IntRange(0, 2).Draw(t, "status")),
			Imported: rapid.Bool().Draw(t, "imported"), WasIgnored: rapid.Bool().Draw(t, "ignored"), Reason: rapid.String().Draw(t, "reason"),
		}
		if a.At < 86_400_000 { // a local time before 1970
			a.Offset = max(a.Offset, 0)
		}
		if a.HasValue {
			a.Value = rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(t, "value")
		}
		if rapid.Bool().Draw(t, "meta") {
			a.Meta = []byte(rapid.SampledFrom([]string{`{}`, `{"a":1e21,"b":-0.000001,"c":"\u000f é <&> \"\\"}`, `{"n":[1,{"x":null}]}`}).Draw(t, "meta text"))
		}
		got := carry(t, a)
		if diff := cmp.Diff(a, got); diff != "" {
			t.Fatal(diff)
		}
		if math.Signbit(a.Value) != math.Signbit(got.Value) {
			t.Fatal("the sign of zero is lost")
		}
	})
}

// TestState_EveryFieldIsCarriedOrMade fails when a field is added to a state and is neither in the format nor named here as made of activities.
func TestState_EveryFieldIsCarriedOrMade(t *testing.T) {
	made := []string{"Activities", "Ignored", "Gifts", "Oldest", "Plan", "Due", "Rules", "Noticed", "Expires"} // of Streaks all but the commands, and Scheduled, but for who is being merged
	full := progress.State{Sealed: 9, Told: 6, Hidden: true, Blocked: true, Merged: "m", Scheduled: 8, Attributes: []progress.Attribute{{Name: "country", Value: "AT"}},
		Zones:      []progress.ZoneChange{{At: 0, Name: "UTC"}, {At: 7, Name: "Asia/Tokyo"}},
		Pauses:     []streaks.Pause{{ID: 1, At: 5, From: -3, To: 20_000}, {ID: 2, At: 6, From: 7, To: 9, CutAt: 8, CutTo: 0}},
		Enrolments: []progress.Enrolment{{Group: "g", At: 3}},
		Streaks:    []progress.StreakState{{ID: "s", Commands: everyCommand()}},
		Earnings: &progress.Earnings{Achievements: []progress.AchievementState{{ID: "a", Kept: rewards.Kept{Noted: 3}}},
			Missions: []progress.MissionState{{ID: "m", KeptMission: rewards.KeptMission{Starts: []calendar.Instant{1, 4}, Noted: 5}}}},
		Behaviours: []progress.BehaviourState{{Name: "a", LastAt: 5, Counts: []progress.PeriodCount{{Ordinal: -3, N: 2}}}}}
	of := reflect.TypeFor[progress.State]()
	for i := range of.NumField() {
		name := of.Field(i).Name
		if zero := reflect.ValueOf(full).Field(i).IsZero(); zero != slices.Contains(made, name) {
			t.Errorf("%s is neither carried nor made", name)
		}
	}
	line := lineOfState(&full)
	line.Org, line.User, line.Base = "o", "u", []byte{2, 0, 255}
	line.Hashes = map[string]map[string]string{"profile": {"name": "é", "picture": "x"}}
	b, err := encode(line)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseLine(typeUser, b)
	if err != nil {
		t.Fatal(err)
	}
	got := parsed.(*userLine)
	if diff := cmp.Diff(line, *got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&full, got.state(), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Error(diff)
	}
}

// everyCommand has a command of every kind, and fails to be carried where one of its fields is not.
func everyCommand() (c streaks.Commands) {
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		kind := v.Field(i)
		kind.Set(reflect.MakeSlice(kind.Type(), 2, 2))
		for j := range kind.Index(1).NumField() {
			switch f := kind.Index(1).Field(j); f.Kind() {
			case reflect.Bool:
				f.SetBool(true)
			case reflect.String:
				f.SetString("why")
			default:
				f.SetInt(int64(10*i + j + 1))
			}
		}
	}
	return c
}

// TestStreak_EveryCommandIsCarried: a streak's line has the same commands as the streak, of whatever kind.
func TestStreak_EveryCommandIsCarried(t *testing.T) {
	all := everyCommand()
	for i := range reflect.TypeFor[streaks.Commands]().NumField() {
		var one streaks.Commands
		reflect.ValueOf(&one).Elem().Field(i).Set(reflect.ValueOf(all).Field(i))
		l, ok := lineOfCommands(&progress.StreakState{ID: "s", Commands: one})
		if got := l.streak(); !ok || cmp.Diff(one, got.Commands) != "" {
			t.Errorf("%v, %v: %s", one, ok, cmp.Diff(one, got.Commands))
		}
	}
	if _, ok := lineOfCommands(&progress.StreakState{ID: "s"}); ok {
		t.Error("a streak without commands has a line")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"type":"laurel.export","format":1,"id":"x","created_at":"2026-03-02T12:00:00.000Z"}` + "\n"))
	f.Add([]byte("{\"type\":\"laurel.export\",\"format\":1}\n{\"type\":\"user\",\"activities\":-1}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Check(bytes.NewReader(b)); err == nil && !bytes.Contains(b, []byte("sha256")) {
			t.Error("accepted without a checksum")
		}
	})
}
