package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Answer is what the ceiling says to every request.
type Answer struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Ceiling is a bare net/http server that says the same to everyone: no server on net/http can be faster with an answer of that size.
type Ceiling struct {
	*Process
	Address string
}

// StartCeiling starts a program, which has to call ServeCeiling with its standard input and output.
func StartCeiling(ctx context.Context, program []string, a Answer) (*Ceiling, error) {
	stdin, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	c := new(Ceiling)
	c.Process, err = start(ctx, "ceiling", program, stdin, func(line string) bool {
		address, ok := strings.CutPrefix(line, upPrefix)
		c.Address = address
		return ok
	})
	return c, err
}

const upPrefix = "ceiling is up at "

// ServeCeiling reads an Answer from in, says where it listens, and serves until ctx ends.
func ServeCeiling(ctx context.Context, in io.Reader, out io.Writer) error {
	var a Answer
	if err := json.NewDecoder(in).Decode(&a); err != nil {
		return fmt.Errorf("answer to give: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(a.give)}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Fprintf(out, "%s%s\n", upPrefix, l.Addr())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// give hands out the header's slices themselves; net/http only reads them.
func (a *Answer) give(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	w.Write(a.Body)
}
