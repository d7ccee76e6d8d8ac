package ws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/query"
)

const (
	maxIDBytes = 64
	// slowestHz is the lowest max_hz: one message an hour.
	slowestHz = 1.0 / 3600
)

// What clients send. Unknown and repeated members are refused, as everywhere in the API.
type (
	helloCommand struct {
		Type  string `json:"type"`
		Token string `json:"token"`
		Org   string `json:"org"`
	}
	tokenCommand struct {
		Type  string `json:"type"`
		Token string `json:"token"`
	}
	subscribeCommand struct {
		Type  string      `json:"type"`
		ID    string      `json:"id"`
		View  *query.View `json:"view"`
		MaxHz *float64    `json:"max_hz"`
		Since position    `json:"since"`
	}
	unsubscribeCommand struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	pongCommand struct {
		Type string `json:"type"`
		At   string `json:"at"`
	}
)

// parse reads one message into the struct of its type. On a refusal, id is the subscription that the message is about, if it can be told.
func parse(b []byte) (command any, id string, r *refusal) {
	var head struct {
		Type jsontext.Value `json:"type"`
		ID   jsontext.Value `json:"id"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, "", badJSON(err)
	}
	id, _ = text(head.ID)
	if len(id) > maxIDBytes {
		id = ""
	}
	kind, ok := text(head.Type)
	if !ok {
		return nil, id, &refusal{codeBadRequest, "type: missing, or not a string"}
	}
	switch kind {
	case "hello":
		command = new(helloCommand)
	case "token":
		command = new(tokenCommand)
	case "subscribe":
		command = new(subscribeCommand)
	case "unsubscribe":
		command = new(unsubscribeCommand)
	case "pong":
		command = new(pongCommand)
	default:
		return nil, id, &refusal{codeUnsupported, "type: must be hello, token, subscribe, unsubscribe or pong"}
	}
	if err := json.Unmarshal(b, command, json.RejectUnknownMembers(true)); err != nil {
		return nil, id, badJSON(err)
	}
	return command, id, nil
}

// text returns the string that a JSON value is.
func text(v jsontext.Value) (s string, ok bool) {
	if v.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, v)
	return string(b), err == nil
}

// badJSON says where JSON is at fault; the library's own text speaks of Go types.
func badJSON(err error) *refusal {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &syntactic):
		return &refusal{codeBadJSON, fmt.Sprintf("not strict JSON at %q, byte %d", syntactic.JSONPointer, syntactic.ByteOffset)}
	case errors.As(err, &semantic):
		return &refusal{codeBadJSON, fmt.Sprintf("unknown member or wrong type at %q", semantic.JSONPointer)}
	}
	return &refusal{codeBadJSON, "not strict JSON"}
}

// handle does what a message asks: one command, or an array of them.
func (c *conn) handle(message []byte) {
	if !strings.HasPrefix(strings.TrimLeft(string(message[:min(len(message), 64)]), " \t\r\n"), "[") {
		c.one(message)
		return
	}
	var list []jsontext.Value
	if err := json.Unmarshal(message, &list); err != nil {
		if c.allowed() {
			c.refuse("", badJSON(err))
		}
		return
	}
	for _, m := range list {
		if c.one(m); c.isClosing() {
			return
		}
	}
}

// allowed counts a message against the rate.
func (c *conn) allowed() bool {
	if c.bucket.take(c.hub.o.Limits.MessageBurst, c.hub.o.Limits.MessageRate) {
		return true
	}
	c.fail(CloseLimit, fmt.Sprintf("at most %d messages at once and %d a second", c.hub.o.Limits.MessageBurst, c.hub.o.Limits.MessageRate))
	return false
}

func (c *conn) one(message []byte) {
	if !c.allowed() {
		return
	}
	command, id, r := parse(message)
	if hello, ok := command.(*helloCommand); ok {
		c.present(Credentials{Token: hello.Token, Origin: c.origin, Org: cmp.Or(hello.Org, c.org)})
		return
	}
	if !c.greeted() {
		if r != nil {
			c.fail(CloseBadRequest, r.detail)
		} else {
			c.fail(CloseUnauthorized, "the first message must be hello")
		}
		return
	}
	switch m := command.(type) {
	case *tokenCommand:
		c.present(Credentials{Token: m.Token, Origin: c.origin, Org: c.orgOf()})
	case *subscribeCommand:
		r = c.subscribe(m)
	case *unsubscribeCommand:
		r = c.unsubscribe(m)
	}
	if r != nil {
		c.refuse(id, r)
	}
}

func (c *conn) greeted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity != nil
}

// refuse answers a command with an error message; the connection stays.
func (c *conn) refuse(id string, r *refusal) {
	var quoted []byte
	if id != "" {
		quoted, _ = jsontext.AppendQuote(nil, id) // came out of JSON, so is valid
	}
	c.say(appendError(nil, quoted, r))
}

// orgOf is the org that the connection is for, once it was greeted.
func (c *conn) orgOf() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.identity.Org)
}

// present finds out who the client is. What comes later is a new token of the same org and user; if that is refused, the identity stays as it was, until it
// expires.
func (c *conn) present(shown Credentials) {
	ctx, cancel := context.WithTimeout(c.hub.ctx, sourceTimeout)
	defer cancel()
	identity, err := c.hub.o.Authenticate(ctx, shown)
	c.mu.Lock()
	before := c.identity
	c.mu.Unlock()
	switch {
	case err == nil && before != nil && (before.Org != identity.Org || before.User != identity.User):
		c.refuse("", &refusal{codeForbidden, "the new token is of another org or user: connect anew with it"})
	case err == nil:
		c.become(&identity, before)
	case before == nil:
		code := authCloseCode(err)
		c.fail(code, authDetail(code))
	default:
		code := authCloseCode(err)
		c.refuse("", &refusal{code.String(), authDetail(code)})
	}
}

func authCloseCode(err error) CloseCode {
	switch {
	case errors.Is(err, ErrUnauthorized):
		return CloseUnauthorized
	case errors.Is(err, ErrForbidden):
		return CloseForbidden
	}
	return closeInternal
}

func authDetail(code CloseCode) string {
	switch code {
	case CloseUnauthorized:
		return ErrUnauthorized.Error()
	case CloseForbidden:
		return ErrForbidden.Error()
	}
	return "the token cannot be checked now"
}

// become gives the connection an identity. What the new one may not watch ends.
func (c *conn) become(identity, before *Identity) {
	if !c.hub.rekey(keyOf(before), identity.Key) {
		c.fail(CloseLimit, "too many connections with this key")
		return
	}
	c.mu.Lock()
	c.identity = identity
	var ended []*subscription
	for _, s := range c.subs {
		if !identity.mayWatch(&s.view.query) {
			ended = append(ended, s)
		}
	}
	c.mu.Unlock()
	c.recheck()
	c.welcome(identity)
	for _, s := range ended {
		c.hub.leave(s)
		c.endSubscription(s, &refusal{codeForbidden, "the new token may not watch this"})
	}
}

// welcome tells the client what it may do.
func (c *conn) welcome(identity *Identity) {
	o := &c.hub.o
	b := []byte(`{"type":"welcome","session":"`)
	b = append(b, c.session...)
	b = strconv.AppendInt(append(b, `","tick_ms":`...), o.Tick.Milliseconds(), 10)
	b = append(o.Clock.Now().AppendFormat(append(b, `,"server_time":"`...)), '"')
	if identity.ExpiresAt != 0 {
		b = append(identity.ExpiresAt.AppendFormat(append(b, `,"expires_at":"`...)), '"')
	}
	b = append(b, `,"limits":{`...)
	for i, l := range []struct {
		name  string
		value int64
	}{
		{"subscriptions", int64(o.Limits.Subscriptions)},
		{"message_bytes", int64(o.Limits.MessageBytes)},
		{"message_burst", int64(o.Limits.MessageBurst)},
		{"messages_per_second", int64(o.Limits.MessageRate)},
		{"rows", int64(o.Limits.Rows)},
		{"span", int64(o.Limits.Span)},
		{"users", int64(o.Limits.Users)},
		{"ping_ms", o.Limits.Ping.Milliseconds()},
		{"pong_ms", o.Limits.Pong.Milliseconds()},
	} {
		b = append(append(append(appendComma(b, i), '"'), l.name...), `":`...)
		b = strconv.AppendInt(b, l.value, 10)
	}
	c.say(append(b, "}}"...))
}

func (c *conn) subscribe(m *subscribeCommand) *refusal {
	if r := m.check(); r != nil {
		return r
	}
	c.mu.Lock()
	identity, have := c.identity, len(c.subs)
	_, taken := c.subs[m.ID]
	c.mu.Unlock()
	if taken {
		return &refusal{codeIDInUse, "id: there is a subscription with this id; unsubscribe it first"}
	}
	if limit := c.hub.o.Limits.Subscriptions; have >= limit {
		return &refusal{codeLimit, fmt.Sprintf("at most %d subscriptions on a connection", limit)}
	}
	key, view, r := c.hub.vet(identity, m.View)
	if r == nil {
		c.add(m, key, view)
	}
	return r
}

// vet brings a view into its one form and says whether the identity may subscribe to it now.
func (h *Hub) vet(identity *Identity, asked *query.View) (viewKey, query.View, *refusal) {
	key, view, r := normalise(identity.Org, *asked, &h.o.Limits)
	if r != nil {
		return key, view, r
	}
	if !identity.mayWatch(&view) {
		return key, view, &refusal{codeForbidden, "this token may not watch that"}
	}
	ctx, cancel := context.WithTimeout(h.ctx, sourceTimeout)
	defer cancel()
	err := h.o.Source.Check(ctx, identity.Org, view)
	if r = viewRefusal(err); err == nil || r != nil {
		return key, view, r
	}
	h.o.Log.Warn().Err(err).Str("org", string(identity.Org)).Msg("live view could not be checked")
	return key, view, &refusal{codeUnavailable, "the view cannot be checked now; subscribe again later"}
}

func (m *subscribeCommand) check() *refusal {
	switch {
	case m.ID == "" || len(m.ID) > maxIDBytes || strings.ContainsFunc(m.ID, unicode.IsControl):
		return &refusal{codeBadRequest, fmt.Sprintf("id: must be 1 to %d bytes without control characters", maxIDBytes)}
	case m.View == nil:
		return &refusal{codeBadRequest, "view: missing"}
	case m.MaxHz != nil && *m.MaxHz < slowestHz:
		return &refusal{codeBadRequest, "max_hz: must be at least once an hour"}
	}
	return nil
}

// add subscribes. Only the reader adds, so that what subscribe has checked still holds.
func (c *conn) add(m *subscribeCommand, key viewKey, view query.View) {
	s := &subscription{id: m.ID, conn: c, gap: c.hub.o.Tick, since: m.Since}
	s.quoted, _ = jsontext.AppendQuote(nil, m.ID) // came out of JSON, so is valid
	if m.MaxHz != nil {
		s.gap = max(s.gap, spaced(time.Duration(math.Ceil(float64(time.Second) / *m.MaxHz))))
	}
	c.mu.Lock()
	if c.subs == nil {
		c.subs = make(map[string]*subscription, 1)
	}
	c.subs[m.ID] = s
	c.mu.Unlock()
	c.hub.join(s, key, view)
}

func (c *conn) unsubscribe(m *unsubscribeCommand) *refusal {
	c.mu.Lock()
	s := c.subs[m.ID]
	delete(c.subs, m.ID)
	c.mu.Unlock()
	if s == nil {
		return &refusal{codeNotSubscribed, "id: there is no subscription with this id"}
	}
	s.gone.Store(true)
	c.hub.leave(s)
	return nil
}
