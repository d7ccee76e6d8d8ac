package ws

import (
	"cmp"
	"errors"

	"laurel/internal/query"
)

// CloseCode is a WebSocket close code of this protocol. It tells the client whether to come back: see Reconnect.
type CloseCode int

// The codes that the server closes with. Their numbers are part of the protocol and never change.
const (
	// CloseShutdown: the node stops without having drained.
	CloseShutdown CloseCode = 4000
	// CloseDrain: the node hands its clients over; the "drain" message before it says when to reconnect.
	CloseDrain CloseCode = 4001
	// CloseSlow: the socket took nothing for the write deadline, or the answers to commands piled up.
	CloseSlow CloseCode = 4002
	// CloseGap is sent by clients whose delta does not fit (prev is not their last seq), before they reconnect.
	CloseGap CloseCode = 4003
	// CloseNoPong: nothing came back after a ping.
	CloseNoPong CloseCode = 4004
	// CloseTokenExpired: the token's end came and no new hello had.
	CloseTokenExpired CloseCode = 4005
	// CloseBadRequest: what came before hello is no message of the protocol. Later, an error message answers such.
	CloseBadRequest CloseCode = 4500
	// CloseUnauthorized: no hello in time, or a token that is not known.
	CloseUnauthorized CloseCode = 4501
	// CloseForbidden: the token may not be used here.
	CloseForbidden CloseCode = 4502
	// CloseLimit: more connections, longer or more messages than allowed.
	CloseLimit CloseCode = 4503
	// CloseUnsupported: binary messages.
	CloseUnsupported CloseCode = 4504

	// closeNoText is the standard code for a text message that is not UTF-8.
	closeNoText CloseCode = 1007
	// closeInternal is the standard code for a server that failed: the store could not be asked who the client is.
	closeInternal CloseCode = 1011
	// closeByClient and closeLost are not sent: they are how Metrics names an end that the client chose, and one without a close frame.
	closeByClient CloseCode = 1000
	closeLost     CloseCode = 1006
)

// Reconnect says whether a client that is closed with the code should connect again (after a pause that grows).
func (c CloseCode) Reconnect() bool { return c < 4500 || c > 4999 }

// String is the code's name, which is also the reason in the close frame.
func (c CloseCode) String() string {
	switch c {
	case CloseShutdown:
		return "shutdown"
	case CloseDrain:
		return "drain"
	case CloseSlow:
		return "slow"
	case CloseGap:
		return "gap"
	case CloseNoPong:
		return "no_pong"
	case CloseTokenExpired:
		return "token_expired"
	case CloseBadRequest:
		return codeBadRequest
	case CloseUnauthorized:
		return codeUnauthorized
	case CloseForbidden:
		return codeForbidden
	case CloseLimit:
		return codeLimit
	case CloseUnsupported:
		return codeUnsupported
	case closeNoText:
		return "not_utf8"
	case closeInternal:
		return "internal"
	case closeByClient:
		return "closed"
	}
	return "lost"
}

// The codes of "error" messages. Those that REST has too mean the same there.
const (
	codeBadJSON       = "bad_json"
	codeBadRequest    = "bad_request"
	codeUnsupported   = "unsupported"
	codeUnauthorized  = "unauthorized"
	codeForbidden     = "forbidden"
	codeLimit         = "limit"
	codeIDInUse       = "id_in_use"
	codeNotSubscribed = "not_subscribed"
	codeEventsLost    = "events_lost"
	codeUnavailable   = "unavailable"
)

// What an Authenticator answers beside an identity.
var (
	// ErrUnauthorized: the token is missing, malformed, unknown, revoked or expired.
	ErrUnauthorized = errors.New("token is not valid")
	// ErrForbidden: the token is known, and may not be used from this origin, for this org or for live views.
	ErrForbidden = errors.New("token may not be used here")
)

// refusal is an answer to a command: an error message. It implements error.
type refusal struct{ code, detail string }

func (r *refusal) Error() string { return r.code + ": " + r.detail }

// viewErrors says how the domain's errors about a view are told to a client. Each ends the subscription.
var viewErrors = []struct {
	err  error
	code string
}{
	{query.ErrBadParam, codeBadRequest},
	{query.ErrBadView, codeBadRequest},
	{query.ErrRuleNotFound, "rule_not_found"},
	{query.ErrBadPeriod, "bad_period"},
	{query.ErrPeriodGone, "period_gone"},
	{query.ErrUserNotFound, "user_not_found"},
	{query.ErrUserMerged, "user_merged"},
}

// viewRefusal returns what to tell a client about an error of Source, nil if it is one that passes. The text is query.Detail's or else
// the sentinel's, so that internal text never reaches a client.
func viewRefusal(err error) *refusal {
	for _, known := range viewErrors {
		if errors.Is(err, known.err) {
			return &refusal{known.code, cmp.Or(query.Detail(err), known.err.Error())}
		}
	}
	return nil
}
