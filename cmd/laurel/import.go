package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"laurel/internal/config"
	"laurel/internal/gitlog"
)

type importCommand struct {
	File importFileCommand `cmd:"" default:"withargs" help:"Make a deployment of what laurel export wrote: restore a backup, move to another store. Also without the word file: laurel import dump.ndjson."`
	Git  importGitCommand  `cmd:"" help:"Send the commits of a git repository to a running server. Safe to repeat: a commit counts once."`
}

type importGitCommand struct {
	Dir   string        `arg:"" type:"existingdir" default:"." help:"The repository."`
	URL   string        `name:"url" default:"http://127.0.0.1:8080" placeholder:"URL" help:"The server."`
	Key   config.Secret `required:"" placeholder:"KEY" help:"Secret key with the scope activities:write. LAUREL_KEY keeps it out of the process list."`
	User  string        `enum:"name,email" default:"name" placeholder:"name|email" help:"What identifies an author. Boards may be public, so it is the name unless you say otherwise."`
	Limit int           `placeholder:"N" help:"Newest commits only (0: all)."`
}

// Run imports the repository.
func (c *importGitCommand) Run(ctx context.Context, stdout io.Writer) error {
	server, err := newClient(c.URL, c.Key.Reveal())
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	began := time.Now()
	total, err := importGit(ctx, server, c.Dir, gitlog.Options{Limit: c.Limit}, userOf(c.User))
	if total.sent > 0 {
		total.print(stdout, time.Since(began))
	}
	return err
}

// userOf returns how a commit's user id is made.
func userOf(field string) func(gitlog.Commit) string {
	if field == "email" {
		return func(c gitlog.Commit) string { return gitlog.UserID(c.Email) }
	}
	return func(c gitlog.Commit) string { return gitlog.UserID(c.Name) }
}

// totals is what became of an import.
type totals struct {
	sent, accepted, duplicates, rejected, ignored int
	users                                         map[string]int      // commits by user
	refusals                                      map[string]*refused // by code
}

// refused is one kind of refusal with an example of it.
type refused struct {
	count       int
	id, details string
}

// batchItems bounds a request: far below the server's limits, and small enough that a request that has to be repeated costs little.
const batchItems = 1000

// importGit sends a repository's commits through the server's import door, where no activity is too old and nothing is announced.
func importGit(ctx context.Context, server *client, dir string, o gitlog.Options, user func(gitlog.Commit) string) (totals, error) {
	total := totals{users: map[string]int{}, refusals: map[string]*refused{}}
	var created struct {
		ID string `json:"id"`
	}
	if err := server.call(ctx, http.MethodPost, "/v1/imports", "", nil, &created); err != nil {
		return total, fmt.Errorf("open the import: %w", err)
	}
	path := "/v1/imports/" + url.PathEscape(created.ID)
	err := total.sendAll(ctx, server, path+"/items", dir, o, user)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second) // an import that was broken off is closed too
	defer cancel()
	if closeErr := server.call(closing, http.MethodPost, path+"/close", "", nil, nil); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close the import: %w", closeErr))
	}
	return total, err
}

func (t *totals) sendAll(ctx context.Context, server *client, path, dir string, o gitlog.Options, user func(gitlog.Commit) string) error {
	batch := make([]item, 0, batchItems)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		got, err := server.send(ctx, path, batch)
		if err != nil {
			return fmt.Errorf("send commits: %w", err)
		}
		t.add(len(batch), got)
		batch = batch[:0]
		return nil
	}
	for c, err := range gitlog.Read(ctx, dir, o) {
		if err != nil {
			return err
		}
		batch = append(batch, commitItem(c, user(c)))
		t.users[batch[len(batch)-1].User]++
		if len(batch) == batchItems {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// commitItem is a commit as an activity. The hash is its id, so that sending it again changes nothing.
func commitItem(c gitlog.Commit, user string) item {
	return item{
		ID: c.Hash, User: user, Name: "commit", At: c.Author.Format(time.RFC3339),
		Meta: map[string]any{"added": c.Added, "deleted": c.Deleted, "files": c.Files},
	}
}

func (t *totals) add(sent int, got report) {
	t.sent += sent
	t.accepted += got.Accepted
	t.duplicates += got.Duplicates
	t.rejected += got.Rejected
	t.ignored += got.Ignored
	for _, r := range got.Results {
		if r.Error == nil {
			continue
		}
		if t.refusals[r.Error.Code] == nil {
			t.refusals[r.Error.Code] = &refused{id: r.ID, details: r.Error.Detail}
		}
		t.refusals[r.Error.Code].count++
	}
}

func (t *totals) print(w io.Writer, took time.Duration) {
	fmt.Fprintf(w, "%d commits by %d users in %s: %d accepted, %d duplicates, %d rejected, %d ignored\n",
		t.sent, len(t.users), took.Round(time.Millisecond), t.accepted, t.duplicates, t.rejected, t.ignored)
	for _, code := range slices.Sorted(maps.Keys(t.refusals)) {
		r := t.refusals[code]
		fmt.Fprintf(w, "  %d × %s, such as %s: %s\n", r.count, code, r.id, r.details)
	}
}
