package deployment

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// requestTimeout is how long the load balancer waits for a node that cannot answer. Others it gives as much time as the machine makes them take.
const requestTimeout = 1500 * time.Millisecond

var transport = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Second}}

// answer is what a node said.
type answer struct {
	Status int
	Body   string
	Node   *process
	Tries  int
}

// into decodes the answer.
func (a *answer) into(v any) error {
	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		return fmt.Errorf("%s answered %d %s: %w", a.Node.name, a.Status, a.Body, err)
	}
	return nil
}

// code is that of a problem, "" for none.
func (a *answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.Body), &p)
	return p.Code
}

// once asks one node. An error means that no answer came.
func once(ctx context.Context, p *process, method, path, body string) (*answer, error) {
	timeout := patience / 4
	if p.stopped.Load() {
		timeout = requestTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	got, text, err := ask(r)
	if err != nil {
		return nil, err
	}
	if problem := got.StatusCode >= 400; problem && !strings.HasPrefix(got.Header.Get("Content-Type"), "application/problem+json") {
		return nil, fmt.Errorf("%s: %d without a problem document: %s", p.name, got.StatusCode, text)
	}
	if got.StatusCode == http.StatusServiceUnavailable {
		if s, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || s < 1 {
			return nil, fmt.Errorf("%s: 503 without Retry-After", p.name)
		}
	}
	return &answer{Status: got.StatusCode, Body: text, Node: p}, nil
}

// ask sends a request and reads the whole answer.
func ask(r *http.Request) (*http.Response, string, error) {
	got, err := transport.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return got, string(text), err
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// send asks nodes that choose gives, one after the other, until the answer is definite: neither silence nor 429 nor 503.
func send(ctx context.Context, choose func() *process, method, path, body string) (*answer, error) {
	deadline := time.Now().Add(patience)
	for try := 1; ; try++ {
		a, err := once(ctx, choose(), method, path, body)
		if err == nil && a.Status != http.StatusServiceUnavailable && a.Status != http.StatusTooManyRequests {
			a.Tries = try
			return a, nil
		}
		if time.Now().After(deadline) {
			return a, fmt.Errorf("%s %s: no definite answer in %v: %w, %+v", method, path, patience, err, a)
		}
		pause(ctx, time.Duration(1+rand.IntN(20))*time.Millisecond)
	}
}

// pause waits between two tries, as a client does.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
