package catalog

import (
	"net/url"
	"slices"
	"strings"
)

// Webhook is where events of the org are sent.
type Webhook struct {
	ID string
	Shown
	URL *url.URL // http or https, without a user and a fragment
	// Types are those of the events that are sent: whole, or ending in a dot for all that begin so. None: all.
	Types []string
	// Active: events are sent; else they wait, as long as the outbox keeps them.
	Active bool
	// Secrets sign, all of them at once while one takes the place of another. None: those that the variable SecretEnv of each node's environment holds.
	Secrets   []Secret
	SecretEnv string
}

// Webhook returns the webhook of an id, or nil.
func (c *Catalog) Webhook(id string) *Webhook {
	if i, some := c.Find(Webhooks, id); some {
		return c.Webhooks[i]
	}
	return nil
}

// Wants says whether events of a type are sent.
func (w *Webhook) Wants(eventType string) bool {
	return len(w.Types) == 0 || slices.ContainsFunc(w.Types, func(t string) bool {
		return t == eventType || strings.HasSuffix(t, ".") && strings.HasPrefix(eventType, t)
	})
}

type webhookSource struct {
	headSource
	secretSource
	URL    string   `json:"url"`
	Events []string `json:"events"`
	Active *bool    `json:"active"`
}

func (b *builder) webhook(src *webhookSource, s site) *Webhook {
	w := &Webhook{ID: src.ID, Shown: src.shown(), Active: src.Active == nil || *src.Active, SecretEnv: src.SecretEnv}
	w.Secrets = b.secrets(&src.secretSource, standardSecret, s.path)
	for _, pattern := range src.Events {
		if pattern == "*" {
			w.Types = nil
			break
		}
		w.Types = append(w.Types, strings.TrimSuffix(pattern, "*"))
	}
	if src.URL != "" {
		w.URL = b.target(src.URL, s.path.to("url"))
	}
	return w
}

// target reads a URL to send to. What it names is checked when it is dialled: names lead elsewhere tomorrow.
func (b *builder) target(text string, p path) *url.URL {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		b.report.at(p, "this is no URL such as https://example.com/laurel")
	case u.User != nil:
		b.report.at(p, "a URL with a user and a password would show them to whoever reads the catalog; what is sent is signed")
	case u.Fragment != "":
		b.report.at(p, "a fragment is not sent")
	default:
		return u
	}
	return nil
}
