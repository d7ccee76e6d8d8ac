package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"laurel/internal/config"
	"laurel/internal/gitlog"
	"laurel/web"
)

type demoCommand struct {
	config.Log

	Listen      string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where clients connect."`
	AdminListen string        `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where metrics and probes are served."`
	DataDir     string        `type:"path" default:"./laurel-data" placeholder:"DIR" help:"Where the data and the keys are kept."`
	Repo        string        `type:"path" default:"." placeholder:"DIR" help:"The git repository whose authors play."`
	Pace        time.Duration `default:"400ms" help:"Time between two live activities, on average."`
}

// keyFile holds the key of the demonstration, so that a second start finds the data of the first.
const keyFile = "bootstrap.key"

// Run serves, plays and prints what to try, until ctx ends.
func (c *demoCommand) Run(ctx context.Context, stdout io.Writer) error {
	if c.Pace <= 0 {
		return errors.New("--pace must be positive")
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return err
	}
	key, err := keptKey(filepath.Join(c.DataDir, keyFile), func() (string, error) { return "sk_demo_" + rand.Text(), nil })
	if err != nil {
		return err
	}
	nodes := newGroup(ctx)
	up := make(chan addresses, 1)
	node := nodes.start("server", func(ctx context.Context) error {
		return run(ctx, c.serve(key), stdout, func(a addresses) { up <- a })
	})
	stop := func() error {
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return node.stop(wait)
	}
	select {
	case a := <-up:
		play, cancel := context.WithCancelCause(ctx)
		watch := nodes.start("watch", func(context.Context) error { // a server that dies ends the play
			select {
			case err := <-nodes.ended:
				cancel(err)
			case <-play.Done():
			}
			return nil
		})
		err = c.play(play, stdout, a, key)
		if cause := context.Cause(play); cause != nil && !errors.Is(cause, context.Canceled) {
			err = cause
		}
		cancel(nil)
		<-watch.done
	case err = <-nodes.ended:
	}
	if ctx.Err() != nil {
		err = nil // asked to end
	}
	return errors.Join(err, stop())
}

// serve is the server's configuration.
func (c *demoCommand) serve(key string) config.Serve {
	log := c.Log
	if log.LogLevel == "info" {
		log.LogLevel = "warn" // what is printed below is the interface here
	}
	return config.Serve{
		Store: config.Store{DataDir: c.DataDir, Fsync: "everysec"}, Log: log,
		Listen: c.Listen, AdminListen: c.AdminListen, BootstrapKey: config.Secret(key), Drain: 3 * time.Second,
	}
}

// play imports the repository, prints the tour and then lets its authors act.
func (c *demoCommand) play(ctx context.Context, stdout io.Writer, a addresses, key string) error {
	address := "http://" + a.Public
	server, err := newClient(address, key)
	if err != nil {
		return err
	}
	if err := ready(ctx, server, "http://"+a.Admin); err != nil {
		return err
	}
	began := time.Now()
	total, err := importGit(ctx, server, c.Repo, gitlog.Options{}, userOf("name"))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case err != nil:
		fmt.Fprintf(stdout, "No history to import from %s (%v); invented players will do.\n", c.Repo, err)
	default:
		fmt.Fprintf(stdout, "Imported the git history of %s: ", c.Repo)
		total.print(stdout, time.Since(began))
	}
	players := newCast(total.users)
	if err := players.opening(ctx, server); err != nil {
		return err
	}
	public, err := keptKey(filepath.Join(c.DataDir, "board-"+port(a.Public)+".key"), func() (string, error) { return boardKey(ctx, server, a.Public) })
	if err != nil {
		return err
	}
	c.tour(stdout, address, public, players)
	return players.act(ctx, server, c.Pace)
}

// ready waits until the server has read its store.
func ready(ctx context.Context, server *client, admin string) error {
	for {
		probe := client{base: admin, http: server.http}
		err := probe.once(ctx, http.MethodGet, "/readyz", "", nil, nil)
		if err == nil {
			return nil
		}
		if err := server.wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// boardKey makes a publishable key: the board page's address carries it, so it can read boards, from this address, and nothing else.
func boardKey(ctx context.Context, server *client, address string) (string, error) {
	body, err := json.Marshal(map[string]any{
		"name": "demo board", "kind": "pk", "scopes": []string{"boards:read"},
		"origins": []string{"http://" + address, "http://localhost:" + port(address)},
	})
	if err != nil {
		return "", err
	}
	var created struct {
		Key string `json:"key"`
	}
	if err := server.call(ctx, http.MethodPost, "/v1/keys", "application/json", body, &created); err != nil {
		return "", fmt.Errorf("make a key for the board page: %w", err)
	}
	return created.Key, nil
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address) // an address that is listened on has one
	return port
}

// keptKey returns the key in the file, or makes one and keeps it there, readable by its owner only.
func keptKey(path string, create func() (string, error)) (string, error) {
	kept, err := os.ReadFile(path)
	if key := strings.TrimSpace(string(kept)); err == nil && key != "" {
		return key, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	key, err := create()
	if err != nil {
		return "", err
	}
	return key, os.WriteFile(path, []byte(key+"\n"), 0o600)
}

// tour prints the board's address and commands that answer.
func (c *demoCommand) tour(w io.Writer, address, public string, players *cast) {
	user := url.PathEscape(players.names[0])
	keyPath := filepath.Join(c.DataDir, keyFile)
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, keyPath); err == nil && filepath.IsLocal(short) {
			keyPath = short
		}
	}
	fragment, board, console := url.Values{"key": {public}, "rule": {"commits"}, "period": {"day"}}, "/", ""
	if web.NewUI().Built() {
		fragment, board = url.Values{"key": {public}}, "/live/commits/day"
		console = fmt.Sprintf("Console:     %s/console   (sign in with the key in %s)\n", address, keyPath)
	}
	fmt.Fprintf(w, `
Live board:  %[1]s%[6]s#%[2]s
%[7]s
Players keep committing as you watch. The boards of today therefore show invented commits beside the imported ones.
Try, in another terminal:

  KEY=$(cat '%[3]s')
  curl -sH "Authorization: Bearer $KEY" '%[1]s/v1/leaderboards'
  curl -sH "Authorization: Bearer $KEY" '%[1]s/v1/leaderboards/commits/all?limit=5'
  curl -sH "Authorization: Bearer $KEY" '%[1]s/v1/leaderboards/lines/week/users/%[4]s?around=2'
  curl -sH "Authorization: Bearer $KEY" '%[1]s/v1/users/%[4]s/streaks'
  curl -sH "Authorization: Bearer $KEY" -d '{"user":"you","name":"commit","meta":{"added":42}}' -H 'Content-Type: application/json' '%[1]s/v1/activities'

Ctrl-C stops the server and keeps the data in %[5]s.
`, address, fragment.Encode(), keyPath, user, filepath.Dir(keyPath), board, console)
}
