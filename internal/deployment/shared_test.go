package deployment

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// shared tests what is of the whole deployment, not of the node that it was done on: definitions, keys, imports.
func shared(t *testing.T, d *deployment) {
	t.Run("publishing on two nodes at once", func(t *testing.T) { publishAtOnce(t, d) })
	t.Run("a key is good everywhere, and then nowhere", func(t *testing.T) { keysEverywhere(t, d) })
	t.Run("an import is filled through all nodes", func(t *testing.T) { importEverywhere(t, d) })
}

// request is one request that must be answered.
func request(t *testing.T, p *process, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, text, err := ask(r)
	if err != nil {
		t.Fatal(err)
	}
	return got, text
}

func publishAtOnce(t *testing.T, d *deployment) {
	for round := range 5 {
		got, source := request(t, d.nodes[0], "GET", "/v1/catalog", "")
		tag := got.Header.Get("ETag")
		var g errgroup.Group
		var status [2]int
		for i := range status {
			changed := strings.Replace(source, `"rules":[`, fmt.Sprintf(`"rules":[{"id":"r%d-%d","when":{"name":"visit"},"value":"count","cycles":["day"]},`, round, i), 1)
			g.Go(func() error {
				r, err := http.NewRequestWithContext(t.Context(), "PUT", d.nodes[i+1].base+"/v1/catalog", strings.NewReader(changed))
				if err != nil {
					return err
				}
				r.Header.Set("Authorization", "Bearer "+key)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("If-Match", tag)
				answer, text, err := ask(r)
				if err == nil && answer.StatusCode != 200 && answer.StatusCode != 412 {
					err = fmt.Errorf("PUT /v1/catalog: %d %s", answer.StatusCode, text)
				}
				if err == nil {
					status[i] = answer.StatusCode
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if status[0] == status[1] {
			t.Errorf("both publications were answered %d", status[0])
		}
		winner := fmt.Sprintf("r%d-%d", round, min(1, (412-status[1])/(412-200)))
		for _, p := range d.nodes {
			eventually(t, p.name+" does not have the catalog of who won", func() error {
				if got, text := request(t, p, "GET", "/v1/leaderboards/"+winner+"/day", ""); got.StatusCode != 200 {
					return fmt.Errorf("%d %s", got.StatusCode, text)
				}
				return nil
			})
		}
	}
}

func keysEverywhere(t *testing.T, d *deployment) {
	got, text := request(t, d.nodes[0], "POST", "/v1/keys", `{"name":"reader","kind":"sk","scopes":["boards:read"]}`)
	var made struct{ ID, Key string }
	decode(t, text, &made)
	if got.StatusCode != 201 || made.Key == "" {
		t.Fatalf("create a key: %d %s", got.StatusCode, text)
	}
	everywhere := func(status int) time.Duration {
		began := time.Now()
		for _, p := range d.nodes {
			eventually(t, p.name, func() error {
				got, text := request(t, p, "GET", "/v1/leaderboards", "", "Authorization", "Bearer "+made.Key)
				if got.StatusCode != status {
					return fmt.Errorf("%d %s, want %d", got.StatusCode, text, status)
				}
				return nil
			})
		}
		return time.Since(began)
	}
	t.Logf("the key is good everywhere after %v", everywhere(200))
	if got, text := request(t, d.nodes[1], "DELETE", "/v1/keys/"+made.ID, ""); got.StatusCode != 204 {
		t.Fatalf("revoke the key: %d %s", got.StatusCode, text)
	}
	t.Logf("it is good nowhere after %v", everywhere(401))
}

func importEverywhere(t *testing.T, d *deployment) {
	_, text := request(t, d.nodes[0], "POST", "/v1/imports", "")
	var made struct{ ID string }
	decode(t, text, &made)
	const batches, size = 24, 20
	var g errgroup.Group
	g.SetLimit(6)
	for b := range batches {
		g.Go(func() error {
			items := make([]string, size)
			for i := range items {
				items[i] = fmt.Sprintf(`{"id":"i%d-%d","user":"u%d","name":"visit","at":"2019-03-01T10:00:%02dZ"}`, b, i, i, b)
			}
			choose := func() *process { return d.nodes[(b+1)%nodeCount] }
			a, err := send(context.Background(), choose, "POST", "/v1/imports/"+made.ID+"/items", "["+strings.Join(items, ",")+"]")
			if err == nil && a.Status != 200 {
				err = fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	var state struct {
		State                string
		Accepted, Duplicates int
	}
	_, text = request(t, d.nodes[0], "GET", "/v1/imports/"+made.ID, "")
	decode(t, text, &state)
	if state.Accepted != batches*size || state.Duplicates != 0 {
		t.Errorf("the import counts %+v of %d items", state, batches*size)
	}
	request(t, d.nodes[1], "POST", "/v1/imports/"+made.ID+"/close", "")
	if got, text := request(t, d.nodes[2], "POST", "/v1/imports/"+made.ID+"/items", `[{"user":"x","name":"visit"}]`); got.StatusCode != 409 {
		t.Errorf("items for a closed import: %d %s", got.StatusCode, text)
	}
}
