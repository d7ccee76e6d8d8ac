package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"laurel/internal/catalog"
)

const (
	// maxAnswer is how much of an answer is read, so that its connection can be used again. None of it is kept.
	maxAnswer = 4 << 10
	// maxRetryAfter bounds how long a receiver may ask to be left alone.
	maxRetryAfter = 24 * time.Hour
)

// message is what is sent: an event, or a test.
type message struct {
	id   string
	body []byte
}

// answer is what became of a message.
type answer struct {
	ok         bool
	gone       bool // it is to be sent nothing more
	status     int  // of HTTP; 0: there was no answer
	detail     string
	retryAfter time.Duration
	took       time.Duration
}

// send sends one message and waits for its answer; the caller has a slot. That ctx ends leaves a request that is under way the time that Options.Grace gives it.
func (s *Service) send(ctx context.Context, w *catalog.Webhook, secrets []string, m message) answer {
	until, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.Grace, cancel) })()
	began := time.Now()
	a := s.exchange(until, w, secrets, m)
	a.took = time.Since(began)
	if s.Metrics.Sent != nil {
		s.Metrics.Sent(a.result(), a.took)
	}
	return a
}

// result is what metrics count.
func (a *answer) result() string {
	switch {
	case a.ok:
		return "ok"
	case a.status > 0:
		return "refused"
	}
	return "unreached"
}

func (s *Service) exchange(ctx context.Context, w *catalog.Webhook, secrets []string, m message) answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL.String(), bytes.NewReader(m.body))
	if err != nil {
		return answer{detail: "the URL cannot be asked"}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Laurel-Webhooks")
	if err := sign(r.Header, secrets, m.id, s.Stamp(), m.body); err != nil {
		return answer{detail: ErrNoSecret.Error()}
	}
	response, err := s.client.Do(r)
	if err != nil {
		return answer{detail: plain(err)}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // whatever ends it, the status is known
	a := answer{status: response.StatusCode, ok: response.StatusCode/100 == 2, gone: response.StatusCode == http.StatusGone}
	if !a.ok {
		a.detail = strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status))
	}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		a.retryAfter = retryAfter(response.Header.Get("Retry-After"), s.Stamp())
	}
	return a
}

// retryAfter reads seconds or a date; 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// plain is an error in the few words that whoever reads definitions may see: no address, nothing of an answer.
func plain(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.Is(err, errNotPublic):
		return errNotPublic.Error()
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "the name cannot be resolved"
	case errors.As(err, &certificate):
		return "the certificate cannot be verified"
	}
	return "the connection failed"
}
