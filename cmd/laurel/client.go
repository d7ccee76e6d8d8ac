package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// client calls a server's REST API.
type client struct {
	base string // without a slash at its end
	key  string
	org  string // "": the key's only one
	http *http.Client
	wait func(ctx context.Context, d time.Duration) error // between attempts
}

// newClient makes a client of the server at address.
func newClient(address, key string) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an http:// or https:// address", address)
	}
	return &client{base: strings.TrimSuffix(address, "/"), key: key, http: &http.Client{Timeout: 2 * time.Minute}, wait: sleep}, nil
}

// problem is a refusal by the server.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	after  time.Duration
}

// Error implements error.
func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("the server answered %d %s: %s", p.Status, p.Code, text)
}

// passing says whether the same request may succeed later.
func (p *problem) passing() bool {
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

const (
	attempts  = 6
	maxAnswer = 16 << 20
)

// call sends a request and decodes the answer into into (nil: it is not read). What fails for now is sent again, with growing pauses: activities
// carry ids, so nothing counts twice.
func (c *client) call(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	for attempt := 1; ; attempt++ {
		err := c.once(ctx, method, path, contentType, body, into)
		var refused *problem
		switch {
		case err == nil, ctx.Err() != nil, attempt == attempts:
			return err
		case errors.As(err, &refused) && !refused.passing():
			return err
		}
		pause := time.Duration(1<<attempt) * 100 * time.Millisecond
		pause = pause/2 + rand.N(pause/2)
		if refused != nil {
			pause = max(pause, refused.after)
		}
		if err := c.wait(ctx, pause); err != nil {
			return err
		}
	}
}

func (c *client) once(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	if c.org != "" {
		r.Header.Set("Laurel-Org", c.org)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return refusal(answer, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: unreadable answer: %w", method, path, err)
	}
	return nil
}

func refusal(answer *http.Response, text []byte) *problem {
	p := &problem{}
	if json.Unmarshal(text, p) != nil || p.Title+p.Detail == "" { // a proxy's answer is no problem document
		p.Title = http.StatusText(answer.StatusCode)
	}
	p.Status = answer.StatusCode
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.after = min(time.Duration(seconds)*time.Second, time.Minute)
	}
	return p
}

// item is an activity as clients send it.
type item struct {
	ID   string         `json:"id,omitempty"`
	User string         `json:"user"`
	Name string         `json:"name"`
	At   string         `json:"at,omitempty"`
	Meta map[string]any `json:"meta,omitempty"`
}

// report is the answer to a batch.
type report struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Rejected   int `json:"rejected"`
	Ignored    int `json:"ignored"`
	Results    []struct {
		ID    string `json:"id"`
		Error *struct {
			Code   string `json:"code"`
			Detail string `json:"detail"`
		} `json:"error"`
	} `json:"results"`
}

// send posts items to path as NDJSON.
func (c *client) send(ctx context.Context, path string, items []item) (report, error) {
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, it := range items {
		if err := lines.Encode(it); err != nil {
			return report{}, err
		}
	}
	var got report
	err := c.call(ctx, http.MethodPost, path, "application/x-ndjson", body.Bytes(), &got)
	return got, err
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
