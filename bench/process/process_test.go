package process

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStart_FindsTheLine(t *testing.T) {
	var got string
	p, err := start(t.Context(), "shell", []string{"sh", "-c", "echo one; printf 'tw'; echo o; exec cat"}, nil, func(line string) bool {
		got = line
		return line == "two"
	})
	if err != nil || got != "two" {
		t.Fatalf("found %q, %v", got, err)
	}
	p.Stop()
	if _, err := p.CPU(); err == nil {
		t.Error("a process that has ended has CPU time")
	}
}

func TestStart_Errors(t *testing.T) {
	never := func(string) bool { return false }
	_, err := start(t.Context(), "shell", []string{"sh", "-c", "echo no such file"}, nil, never)
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the error does not carry the process's last words: %v", err)
	}
	if _, err := start(t.Context(), "nothing", []string{"/nonexistent"}, nil, never); err == nil {
		t.Error("no error for a program that does not exist")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := start(ended, "shell", []string{"cat"}, nil, never); err == nil {
		t.Error("no error where ctx had ended")
	}
}

func TestRedis(t *testing.T) {
	r, err := StartRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	before, err := r.Commands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := r.Client.ZIncrBy(t.Context(), "board", 1, "user").Err(); err != nil {
			t.Fatal(err)
		}
	}
	now, err := r.Commands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := CommandsSince(before, now)["zincrby"].Calls; got != 3 {
		t.Errorf("%d calls of ZINCRBY counted, want 3", got)
	}
	if used, err := r.CPU(t.Context()); err != nil || used <= 0 {
		t.Errorf("CPU %v, %v", used, err)
	}
	if v, err := r.Version(t.Context()); err != nil || v == "" {
		t.Errorf("version %q, %v", v, err)
	}
}

func TestParseCommands(t *testing.T) {
	got, err := parseCommands(parseInfo("# Commandstats\r\ncmdstat_zadd:calls=3,usec=41,usec_per_call=13.67,rejected_calls=0\r\ncmdstat_config|get:calls=1,usec=9,usec_per_call=9.00\r\n"))
	want := map[string]CommandCost{"zadd": {3, 41}, "config|get": {1, 9}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := parseCommands(map[string]string{"cmdstat_zadd": "often"}); err == nil {
		t.Error("an unknown form gave no error")
	}
}

func TestCommandsSince(t *testing.T) {
	before := map[string]CommandCost{"get": {1, 10}, "zadd": {5, 50}}
	now := map[string]CommandCost{"get": {1, 10}, "zadd": {7, 80}, "xadd": {1, 4}}
	want := map[string]CommandCost{"zadd": {2, 30}, "xadd": {1, 4}}
	if diff := cmp.Diff(want, CommandsSince(before, now)); diff != "" {
		t.Error(diff)
	}
}

func TestLaurel_IsUp(t *testing.T) {
	var l Laurel
	for _, line := range []string{"", "not JSON", `{"message":"catalog applied","listen":"x"}`} {
		if l.isUp(line) {
			t.Errorf("%q was taken for the line", line)
		}
	}
	if !l.isUp(`{"level":"info","listen":"127.0.0.1:1","admin":"127.0.0.1:2","message":"laurel is up"}`) || l.Address != "127.0.0.1:1" || l.Admin != "127.0.0.1:2" {
		t.Errorf("read %+v", l)
	}
}

func TestServeCeiling(t *testing.T) {
	a := Answer{Header: http.Header{"Content-Type": {"application/json"}, "Etag": {`"x"`}}, Body: []byte(`{"rank":1}`)}
	in, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- ServeCeiling(ctx, bytes.NewReader(in), out) }()
	line := make([]byte, 100)
	n, err := said.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + strings.TrimSpace(strings.TrimPrefix(string(line[:n]), upPrefix)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	got := Answer{Header: http.Header{"Content-Type": answer.Header["Content-Type"], "Etag": answer.Header["Etag"]}, Body: body}
	if diff := cmp.Diff(a, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
