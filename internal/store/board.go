package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	boardPage    = 2000 // rows asked for at once: about a millisecond of the server
	boardOverlap = 100  // rows of a page that the one before had too
	pagesAhead   = 2    // pages that are read while one is worked on
)

// row is a row of a sorted set.
type row struct {
	member string
	score  float64
}

// after says whether r comes later than q in a set that is read from its better end.
func (r *row) after(q *row, ascending bool) bool {
	if r.score != q.score {
		return r.score > q.score == ascending
	}
	return r.member != q.member && r.member > q.member == ascending
}

// board reads the set in its order, by ranges of ranks, while commits go on. Ranks shift under it: if rows before a page come or go, the page
// after it begins too early, which is harmless, or too late, which is not. So pages overlap, and a page whose first row
// lies behind the last row that was given is not used: reading goes on further ahead.
//
// Why every row that is there throughout is given: of two such rows the order never changes. When the row L has been given, all rows
// before L that are there throughout have been: true of the first page, and a page that begins at L or before it, in order, has whatever follows L up to
// its own last row. (ZSCAN promises the same in random order, in which building an index takes twice as long, and costs the server more. One
// ZRANGE of everything holds up all commits for half a second a million rows.)
func (r *remote) board(ctx context.Context, k Key, ascending bool, yield func(member string, score float64) error) error {
	l := boardLoad{client: r.client, key: k, ascending: ascending, yield: yield}
	for start, back := 0, boardPage; ; {
		before := l.last
		gap, err := l.stretch(ctx, start)
		if err != nil || gap == 0 {
			return err
		}
		if back *= 2; l.last != before {
			back = boardPage
		}
		start = max(gap-back, 0) // at 0 nothing can be missed
	}
}

type boardLoad struct {
	client    redis.UniversalClient
	key       Key
	ascending bool
	yield     func(member string, score float64) error
	last      row // given; member is "" before the first
}

// page is the answer for the rows from a rank on.
type page struct {
	start int
	raw   []byte
	err   error
}

// stretch reads from a rank to the end, or to a page that begins too late: gap is its rank, 0 for none.
func (l *boardLoad) stretch(ctx context.Context, start int) (gap int, err error) {
	ctx, stop := context.WithCancel(ctx)
	pages := make(chan page, pagesAhead-1)
	go l.fetch(ctx, start, pages)
	defer func() {
		stop()
		for range pages { // until fetch has ended
		}
	}()
	for p := range pages {
		if p.err != nil {
			return 0, unavailable("load board "+string(l.key), p.err)
		}
		if joined, err := l.give(&p); err != nil || !joined {
			return p.start, err
		}
	}
	return 0, ctx.Err()
}

// fetch reads pages ahead until one is short, and closes the channel.
func (l *boardLoad) fetch(ctx context.Context, start int, pages chan<- page) {
	defer close(pages)
	command := "ZREVRANGE"
	if l.ascending {
		command = "ZRANGE"
	}
	for more := true; more; start += boardPage - boardOverlap {
		// The answer as it is: the library's own forms make two or three heap objects a row.
		cmd := redis.NewRawCmd(ctx, command, string(l.key), start, start+boardPage-1, "WITHSCORES")
		_ = l.client.Process(ctx, cmd) // its error is the command's too
		raw, err := cmd.Result()
		if err == nil && len(raw) > 0 && raw[0] == '-' {
			raw, err = askAgain(ctx, l.client, command, string(l.key), start, start+boardPage-1, "WITHSCORES")
		}
		words := 0
		if err == nil {
			words, _, err = replyHead(string(raw[:min(len(raw), 100)]))
		}
		more = words == 2*boardPage
		select {
		case pages <- page{start, raw, err}:
		case <-ctx.Done():
			return
		}
	}
}

// askAgain asks for strings in a form in which the library sees the server's errors: on a cluster it follows redirections then. The answer is put as it would have come.
func askAgain(ctx context.Context, client redis.UniversalClient, command ...any) (raw []byte, err error) {
	words, err := client.Do(ctx, command...).StringSlice()
	if err != nil {
		return nil, err
	}
	raw = fmt.Appendf(nil, "*%d\r\n", len(words))
	for _, w := range words {
		raw = fmt.Appendf(raw, "$%d\r\n%s\r\n", len(w), w)
	}
	return raw, nil
}

// give yields the rows of a page that come after the last one, and says whether there can be none between.
func (l *boardLoad) give(p *page) (joined bool, err error) {
	words, rest, err := replyHead(string(p.raw)) // copied once, for all members
	if err != nil {
		return false, err
	}
	for n := 0; n < words/2; n++ {
		var r row
		if r, rest, err = readRow(rest); err != nil {
			return false, fmt.Errorf("load board %s: %w", l.key, err)
		}
		if l.last.member != "" && !r.after(&l.last, l.ascending) {
			joined = true
			continue
		}
		if !joined && p.start > 0 {
			return false, nil
		}
		if err := l.yield(r.member, r.score); err != nil {
			return false, err
		}
		l.last, joined = r, true
	}
	return joined || p.start == 0, nil
}

// replyHead reads the head of an array's answer. Any other answer is an error of the server.
func replyHead(raw string) (words int, rest string, err error) {
	line, rest, ok := strings.Cut(raw, "\r\n")
	if !ok || line[:min(1, len(line))] != "*" {
		return 0, "", errors.New("the server answered " + strconv.Quote(line))
	}
	words, err = strconv.Atoi(line[1:])
	return words, rest, err
}

// readRow reads a member and its score.
func readRow(raw string) (r row, rest string, err error) {
	member, rest, err := bulk(raw)
	if err != nil {
		return r, "", err
	}
	score, rest, err := bulk(rest)
	if err != nil {
		return r, "", err
	}
	f, err := parseScore(score)
	return row{member, f}, rest, err
}

// bulk reads a string such as "$3\r\nann\r\n".
func bulk(raw string) (text, rest string, err error) {
	if len(raw) < 4 || raw[0] != '$' {
		return "", "", io.ErrUnexpectedEOF
	}
	n, i := 0, 1
	for ; i < len(raw) && raw[i] >= '0' && raw[i] <= '9' && n <= maxWord; i++ {
		n = 10*n + int(raw[i]-'0')
	}
	from := i + len("\r\n")
	if end := from + n + len("\r\n"); end <= len(raw) && raw[i] == '\r' {
		return raw[from : from+n], raw[end:], nil
	}
	return "", "", io.ErrUnexpectedEOF
}
