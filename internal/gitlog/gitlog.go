// Package gitlog reads the history of a git repository: who committed when, and how much. It runs git, and parses a format of git log
// that no author name, file name or message can break.
package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Commit is one commit.
type Commit struct {
	Hash   string
	Email  string
	Name   string    // by the repository's mailmap, as Email
	Author time.Time // the author's date, with the offset that it was written with
	// Added and Deleted are lines; binary files count 0. Files is the number of changed files. A merge has none.
	Added, Deleted, Files int
}

// header begins a commit. In -z output a token is either the first field of a commit, one of the three that follow it, or a
// numstat entry; an entry begins with a digit or "-", so a token that begins with this byte is a commit whatever its neighbours hold.
const header = 0x1e

// arguments of git: options that a user's configuration could change are named.
func arguments(dir string, o Options) []string {
	args := []string{
		"-C", dir, "-c", "log.showSignature=false", "-c", "core.quotePath=false",
		"log", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--encoding=UTF-8",
		"--use-mailmap", "--format=tformat:%x1e%H%x00%aE%x00%aN%x00%aI",
	}
	if o.Limit > 0 {
		args = append(args, "--max-count="+strconv.Itoa(o.Limit))
	}
	if o.OldestFirst {
		args = append(args, "--reverse")
	}
	return append(args, "--end-of-options", "HEAD", "--")
}

// Options choose commits. The zero value means: all that HEAD can reach, newest first.
type Options struct {
	Limit       int // newest commits only; 0: all
	OldestFirst bool
}

// Read runs git in the repository at dir and yields its commits as git prints them. The sequence ends at the first error; git is stopped when the
// caller stops early or ctx ends.
func Read(ctx context.Context, dir string, o Options) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		git := exec.CommandContext(ctx, "git", arguments(dir, o)...)
		var complaint bytes.Buffer
		git.Stderr = &complaint
		out, err := git.StdoutPipe()
		if err == nil {
			err = git.Start()
		}
		if err != nil {
			yield(Commit{}, fmt.Errorf("git log: %w", err))
			return
		}
		var parseErr error
		stopped := false
		for c, err := range Parse(out) {
			if err != nil {
				parseErr = err
				break
			}
			if stopped = !yield(c, nil); stopped {
				break
			}
		}
		cancelled := ctx.Err()
		if stopped || parseErr != nil {
			cancel() // git may still be writing; Wait would wait for it
		}
		waitErr := git.Wait()
		switch {
		case stopped:
		case cancelled != nil:
			yield(Commit{}, cancelled)
		case parseErr != nil:
			yield(Commit{}, parseErr)
		case waitErr != nil:
			yield(Commit{}, fmt.Errorf("git log: %w: %s", waitErr, firstLine(complaint.String())))
		}
	}
}

// ErrFormat says that the text is not what the package asks git for.
var ErrFormat = errors.New("unexpected output of git log")

// maxLines bounds one entry, so that no history overflows a sum.
const maxLines = 1 << 40

// maxToken bounds one token: the longest path that git can hold is far below.
const maxToken = 1 << 20

// Parse reads the output of the git log that Read runs. It holds one commit in memory at a time.
func Parse(r io.Reader) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		tokens := bufio.NewScanner(r)
		tokens.Buffer(make([]byte, 0, 64<<10), maxToken)
		tokens.Split(splitNUL)
		var c Commit
		open := false
		for tokens.Scan() {
			token := bytes.TrimPrefix(tokens.Bytes(), []byte("\n")) // git ends the header with one where entries follow
			if len(token) == 0 {
				continue // a commit without entries may end with an empty token
			}
			if token[0] == header {
				if open && !yield(c, nil) {
					return
				}
				var err error
				if c, err = parseHeader(string(token[1:]), tokens); err != nil {
					yield(Commit{}, err)
					return
				}
				open = true
				continue
			}
			if err := c.count(token, open); err != nil {
				yield(Commit{}, err)
				return
			}
		}
		if err := tokens.Err(); err != nil {
			yield(Commit{}, fmt.Errorf("%w: %w", ErrFormat, err))
		} else if open {
			yield(c, nil)
		}
	}
}

func parseHeader(hash string, rest *bufio.Scanner) (Commit, error) {
	var fields [3]string
	for i := range fields {
		if !rest.Scan() {
			return Commit{}, fmt.Errorf("%w: commit %q ends in its header", ErrFormat, hash)
		}
		fields[i] = rest.Text()
	}
	at, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return Commit{}, fmt.Errorf("%w: commit %q: %w", ErrFormat, hash, err)
	}
	return Commit{Hash: hash, Email: fields[0], Name: fields[1], Author: at}, nil
}

// count adds a numstat entry: added, tab, deleted, tab, path; both numbers are "-" for a binary file.
func (c *Commit) count(entry []byte, open bool) error {
	added, rest, ok := strings.Cut(string(entry), "\t")
	deleted, path, ok2 := strings.Cut(rest, "\t")
	if !open || !ok || !ok2 || path == "" {
		return fmt.Errorf("%w: %q is no numstat entry", ErrFormat, entry)
	}
	c.Files++
	if added == "-" && deleted == "-" {
		return nil
	}
	a, err := strconv.Atoi(added)
	d, err2 := strconv.Atoi(deleted)
	if err != nil || err2 != nil || a < 0 || d < 0 || a > maxLines || d > maxLines {
		return fmt.Errorf("%w: %q has no line counts", ErrFormat, entry)
	}
	c.Added += a
	c.Deleted += d
	return nil
}

func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF // git ends every token; a cut one could be a wrong number
	}
	return 0, nil, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// maxUser is the length of a user id in bytes that the server takes.
const maxUser = 128

// UserID makes a user id of an author's name or e-mail: valid UTF-8 without control characters, at most 128 bytes; "unknown" for nothing.
func UserID(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	for len(s) > maxUser {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if s = strings.TrimSpace(s); s == "" {
		return "unknown"
	}
	return s
}
