package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// appendCommand encodes a command as Redis's protocol and append-only file have it.
func appendCommand(b []byte, words ...string) []byte {
	b = appendHead(b, '*', len(words))
	for _, w := range words {
		b = append(append(appendHead(b, '$', len(w)), w...), '\r', '\n')
	}
	return b
}

func appendHead(b []byte, mark byte, n int) []byte {
	return append(strconv.AppendInt(append(b, mark), int64(n), 10), '\r', '\n')
}

// Bounds of what a command in the file may have, so that a broken length is not taken for a huge one.
const (
	maxWords = 2 << 20
	maxWord  = 512 << 20
)

// errMalformed says that bytes are no command; io.ErrUnexpectedEOF, that they end within one.
var errMalformed = errors.New("not a command")

// commandReader reads commands from a stream, and counts the bytes.
type commandReader struct {
	r      *bufio.Reader
	offset int64 // after the last command that was read
}

func newCommandReader(r io.Reader) *commandReader {
	return &commandReader{r: bufio.NewReaderSize(r, 1<<20)}
}

// next gives the next command; io.EOF after the last one.
func (c *commandReader) next() ([]string, error) {
	if _, err := c.r.Peek(1); err != nil {
		return nil, err
	}
	size := int64(0)
	n, err := c.head('*', maxWords, &size)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errMalformed
	}
	words := make([]string, 0, min(n, 64))
	for range n {
		length, err := c.head('$', maxWord, &size)
		if err != nil {
			return nil, err
		}
		word, err := c.word(length)
		if err != nil {
			return nil, err
		}
		size += int64(length) + 2
		words = append(words, word)
	}
	c.offset += size
	return words, nil
}

// word reads a word and its line end. A long one is read in pieces, so that a broken length in a short file takes no memory.
func (c *commandReader) word(length int) (string, error) {
	const piece = 1 << 20
	b := make([]byte, 0, min(length+2, piece))
	for left := length + 2; left > 0; {
		n := min(left, piece)
		from := len(b)
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(c.r, b[from:]); err != nil {
			return "", unexpected(err)
		}
		left -= n
	}
	if b[length] != '\r' || b[length+1] != '\n' {
		return "", errMalformed
	}
	return string(b[:length]), nil
}

// head reads a line such as "*3" in its one canonical form.
func (c *commandReader) head(mark byte, limit int, size *int64) (int, error) {
	var line [16]byte
	for i := range line {
		b, err := c.r.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		if line[i] = b; b != '\n' {
			if i == 0 && b != mark || i > 0 && b != '\r' && (b < '0' || b > '9') {
				return 0, errMalformed
			}
			continue
		}
		if i < 3 || line[i-1] != '\r' {
			return 0, errMalformed
		}
		n, err := strconv.Atoi(string(line[1 : i-1]))
		if err != nil || n > limit {
			return 0, errMalformed
		}
		*size += int64(i) + 1
		return n, nil
	}
	return 0, errMalformed
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readReply reads one reply of the embedded server: nil, string, int64, []any or an error of the server.
func readReply(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil || len(line) < 3 {
		return nil, fmt.Errorf("embedded server: reply %q: %w", line, unexpected(err))
	}
	mark, text := line[0], line[1:len(line)-2]
	switch mark {
	case '+':
		return text, nil
	case '-':
		return nil, errors.New("embedded server: " + text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("embedded server: reply %q: %w", line, err)
	case mark == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case mark == '$':
		b := make([]byte, n+2)
		_, err := io.ReadFull(r, b)
		return string(b[:n]), err
	default:
		return readReplies(r, int(n))
	}
}

func readReplies(r *bufio.Reader, n int) (any, error) {
	list := make([]any, n)
	var first error
	for i := range list {
		var err error
		if list[i], err = readReply(r); err != nil && first == nil {
			first = err
		}
	}
	return list, first
}
