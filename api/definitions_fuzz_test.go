package api

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/ingest"
	"laurel/internal/query"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

// FuzzDefinition: whatever is sent as a definition, under whatever id, is taken or refused with a reason, and a node can start with what is stored then.
func FuzzDefinition(f *testing.F) {
	s, err := store.Open(context.Background(), store.Options{DataDir: f.TempDir(), Fsync: store.FsyncNo, Log: zerolog.Nop()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	now := &clock.Clock{}
	reg, keys := registry.New(s, zerolog.Nop()), auth.New(s, now)
	boards := ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute})
	writes := ingest.New(ingest.Options{Store: s, Registry: reg, Boards: boards, Clock: now})
	all, err := catalog.Parse([]byte(testCatalog))
	if err != nil {
		f.Fatal(err)
	}
	start := func(t testing.TB) {
		if _, err := reg.Publish(t.Context(), all[0], "", true); err != nil {
			t.Fatal(err)
		}
	}
	start(f)
	if err := keys.Bootstrap(f.Context(), "sk_git", []activity.Org{"git"}); err != nil {
		f.Fatal(err)
	}
	api, err := newAPI(Options{Registry: reg, Keys: keys, Log: zerolog.Nop(), Writes: writes, Reads: query.New(writes, boards, now, nil),
		Events: closing.New(closing.Options{Store: s, Registry: reg, Boards: boards, Clock: now})})
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range []string{`{"when":{},"unit":"day"}`, "when: {name: commit}\ncycles: [day]\n", `{"meta":{"added":"number"}}`, "", "[1]", `{"id":"x","id":"y"}`, "\xff", "&a {b: *a}", `{"id":"\ud800"}`} {
		for path := range uint8(8) {
			f.Add(path, "daily", body)
			f.Add(path, "\xff/..", body)
		}
	}
	f.Fuzz(func(t *testing.T, path uint8, id, body string) {
		target := []string{"/v1/catalog/rules", "/v1/catalog/streaks", "/v1/catalog/behaviours", "/v1/streaks"}[path%4]
		method := "POST"
		if path&4 != 0 {
			method, target = "PUT", target+"/"+url.PathEscape(id)
		}
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer sk_git")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		switch w.Code {
		case 404, 405, 409, 413, 422:
		case 200, 201:
			if err := registry.New(s, zerolog.Nop()).Load(t.Context()); err != nil {
				t.Errorf("no node can start: %v", err)
			}
			start(t)
		default:
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	})
}
