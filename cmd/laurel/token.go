package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"laurel/internal/config"
)

// tokenCommands is what there is to do with signed tokens; without a word, laurel token makes one.
type tokenCommands struct {
	Make   tokenCommand  `cmd:"" default:"withargs" help:"Make a short-lived token for a page, and print it."`
	Rotate rotateCommand `cmd:"" help:"Make a new secret that signs tokens."`
}

// tokenCommand asks a running server for a token: only servers have the secret that signs, and the key that makes a token says what for.
type tokenCommand struct {
	Server  string        `default:"http://127.0.0.1:8080" placeholder:"URL" help:"Address of the server."`
	Key     config.Secret `required:"" placeholder:"KEY" help:"Secret key with the scope tokens:write or users:write."`
	Org     string        `placeholder:"ORG" help:"The org, if the key is for several."`
	User    string        `placeholder:"USER" help:"Whose own data the token shows beside boards."`
	Boards  []string      `placeholder:"RULE[/PERIOD]" help:"Boards that it shows (repeatable, or separated by commas; none: all)."`
	Origins []string      `placeholder:"ORIGIN" help:"Origins of pages that may use it, such as https://shop.example (none: any)."`
	TTL     time.Duration `name:"ttl" default:"1h" help:"How long it is good, up to 24h, in whole seconds."`
}

// Run prints the token and nothing else, so that it can be put into a variable.
func (c *tokenCommand) Run(ctx context.Context, stdout io.Writer) error {
	server, err := newClient(c.Server, c.Key.Reveal())
	if err != nil {
		return err
	}
	server.org = c.Org
	if c.TTL < time.Second || c.TTL%time.Second != 0 {
		return fmt.Errorf("--ttl: %v is not a number of seconds", c.TTL)
	}
	ask := map[string]any{"expires_in": int(c.TTL / time.Second)}
	if c.User != "" {
		ask["user"] = c.User
	}
	if len(c.Boards) > 0 {
		ask["boards"] = c.Boards
	}
	if len(c.Origins) > 0 {
		ask["origins"] = c.Origins
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	var made struct {
		Token string `json:"token"`
	}
	if err := server.call(ctx, http.MethodPost, "/v1/tokens", "application/json", body, &made); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, made.Token)
	return err
}
