package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/registry"
	"laurel/internal/webhook"
)

// Webhooks is what sends events, and knows how others sign (*webhook.Service).
type Webhooks interface {
	Status(ctx context.Context, org activity.Org, id string) (webhook.Status, error)
	Enable(ctx context.Context, org activity.Org, id string, skip bool) error
	Test(ctx context.Context, org activity.Org, id string) (webhook.Attempt, error)
	Verify(ctx context.Context, org activity.Org, v *catalog.Verify, header http.Header, body []byte) error
}

func (a *API) webhookRoutes() []route {
	const one = "/v1/webhooks/{id}"
	return []route{
		{method: http.MethodGet, pattern: "/v1/webhooks", scope: auth.CatalogRead, serve: a.getWebhooks, doc: docGetWebhooks()},
		{method: http.MethodGet, pattern: one, scope: auth.CatalogRead, serve: a.getWebhook, doc: docGetWebhook()},
		{method: http.MethodPost, pattern: one + "/test", scope: auth.CatalogWrite, serve: a.postWebhookTest, doc: docTestWebhook()},
		{method: http.MethodPost, pattern: one + "/enable", scope: auth.CatalogWrite, serve: a.postWebhookEnable, doc: docEnableWebhook()},
		{method: http.MethodPost, pattern: "/v1/hooks/{id}", scope: auth.HooksWrite, orScope: auth.ActivitiesWrite, keyInURL: true, serve: a.postHook, doc: docPostHook()},
	}
}

// webhookWire is how a webhook does.
type webhookWire struct {
	ID             string          `json:"id" example:"shop"`
	URL            string          `json:"url" example:"https://shop.example/laurel"`
	State          webhook.State   `json:"state" enum:"idle,active,failing,disabled,paused" doc:"idle: no node has taken it up yet. failing: the last attempt failed and is made again. disabled: nothing is sent until it is enabled. paused: its definition says active: false"`
	Reason         string          `json:"reason,omitempty" enum:"gone,failing" doc:"Of disabled: the receiver answered 410, or took nothing for 5 days"`
	Delivered      uint64          `json:"delivered" doc:"Events that arrived, those that were sent again included"`
	LastSuccessAt  *string         `json:"last_success_at,omitempty" format:"date-time"`
	LastError      *webhookFailure `json:"last_error,omitempty" doc:"The last one, also where all is well since"`
	FailingSince   *string         `json:"failing_since,omitempty" format:"date-time"`
	Attempts       int             `json:"attempts,omitempty" doc:"Without success since then"`
	NextAttemptAt  *string         `json:"next_attempt_at,omitempty" format:"date-time"`
	LagSeconds     plain           `json:"lag_seconds" doc:"For how long the oldest event has been waiting that is known to; 0: none is"`
	Gaps           int             `json:"gaps" doc:"How often events were no longer kept when they could have been sent: so often some are missing"`
	LastGapAt      *string         `json:"last_gap_at,omitempty" format:"date-time"`
	SecretHints    []string        `json:"secret_hints,omitempty" nullable:"false" doc:"Of the secrets that sign"`
	SecretVariable string          `json:"secret_env,omitempty" doc:"The variable that holds the secrets"`
}

type webhookFailure struct {
	At     string `json:"at" format:"date-time"`
	Status int    `json:"status,omitempty" doc:"Of HTTP; absent: there was no answer"`
	Detail string `json:"detail" example:"503 Service Unavailable"`
}

// webhookList is how every webhook of the org does.
type webhookList struct {
	Webhooks []webhookWire `json:"webhooks" nullable:"false"`
}

func wireWebhook(w *catalog.Webhook, s *webhook.Status) webhookWire {
	out := webhookWire{ID: w.ID, URL: w.URL.String(), State: s.State, Reason: s.Reason, Delivered: s.Delivered, LastSuccessAt: stamp(s.LastSuccess), FailingSince: stamp(s.Since),
		Attempts: s.Attempts, NextAttemptAt: stamp(s.Retry), LagSeconds: plain(s.Lag.Milliseconds()) / 1000, Gaps: s.Gaps, LastGapAt: stamp(s.LastGap), SecretVariable: w.SecretEnv}
	for _, secret := range w.Secrets {
		out.SecretHints = append(out.SecretHints, secret.Hint)
	}
	if e := s.LastError; e != nil {
		out.LastError = &webhookFailure{e.At.String(), e.Status, e.Detail}
	}
	return out
}

func (a *API) getWebhooks(w http.ResponseWriter, r *request) error {
	e, ok := a.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	list := webhookList{Webhooks: []webhookWire{}}
	for _, def := range e.Catalog.Webhooks {
		s, err := a.Webhooks.Status(r.Context(), r.org, def.ID)
		if err != nil {
			return err
		}
		list.Webhooks = append(list.Webhooks, wireWebhook(def, &s))
	}
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) getWebhook(w http.ResponseWriter, r *request) error {
	e, ok := a.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	def := e.Catalog.Webhook(r.PathValue("id"))
	if def == nil {
		return webhook.ErrNotFound
	}
	s, err := a.Webhooks.Status(r.Context(), r.org, def.ID)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, wireWebhook(def, &s))
}

// webhookAttempt is what became of a test.
type webhookAttempt struct {
	Delivered bool   `json:"delivered" doc:"The receiver answered 2xx"`
	Status    int    `json:"status,omitempty" doc:"Of HTTP; absent: there was no answer"`
	Detail    string `json:"detail,omitempty" doc:"Why it did not arrive" example:"the certificate cannot be verified"`
	TookMs    int64  `json:"took_ms"`
}

func (a *API) postWebhookTest(w http.ResponseWriter, r *request) error {
	tried, err := a.Webhooks.Test(r.Context(), r.org, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, webhookAttempt{tried.OK, tried.Status, tried.Detail, tried.Took.Milliseconds()})
}

// webhookEnable is the body of enable; it may be left out.
type webhookEnable struct {
	From string `json:"from,omitempty" enum:"cursor,now" doc:"cursor (default): what waits is sent. now: what waits is left out"`
}

func (a *API) postWebhookEnable(w http.ResponseWriter, r *request) error {
	var in webhookEnable
	if err := a.decodeBody(r, &in, optional); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "cursor", "now"}, in.From) {
		return badRequest("from", "This must be cursor or now.")
	}
	if err := a.Webhooks.Enable(r.Context(), r.org, r.PathValue("id"), in.From == "now"); err != nil {
		return err
	}
	return a.getWebhook(w, r)
}

// mayDefine refuses webhooks to a key that may not read what they are sent.
func mayDefine(r *request, old, next *catalog.Catalog) error {
	if r.identity.Allows(auth.UsersRead) || len(next.Webhooks) == 0 {
		return nil
	}
	if old != nil && slices.EqualFunc(old.Definitions(catalog.Webhooks), next.Definitions(catalog.Webhooks), func(a, b jsontext.Value) bool { return bytes.Equal(a, b) }) {
		return nil
	}
	return &fault{code: "forbidden", detail: "Webhooks are sent events of users: to define them needs the scope " + string(auth.UsersRead) + " too."}
}

// maxHookBody bounds what a hook takes, in bytes.
const maxHookBody = 1 << 20

// postHook makes an activity of what another system sends.
func (a *API) postHook(w http.ResponseWriter, r *request) error {
	e, ok := a.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	hook := e.Catalog.Hook(r.PathValue("id"))
	if hook == nil || !hook.Active {
		return catalog.ErrNoDefinition
	}
	var b batch
	skipped := false
	err := a.withBody(r, func(body []byte) error {
		item, err := a.mapHook(r, hook, body)
		if skipped = item == nil; err != nil || skipped {
			return err
		}
		b, err = a.decodeBatch(item, formatJSON)
		return err
	})
	switch {
	case err != nil:
		return err
	case skipped:
		return writeJSON(w, http.StatusOK, hookSkipped{Status: "skipped"})
	}
	return a.submitOne(w, r, b.items)
}

// hookSkipped is the answer where nothing comes of what was sent.
type hookSkipped struct {
	Status string `json:"status" enum:"skipped"`
}

// mapHook makes the item of a request; nil where the hook passes it over.
func (a *API) mapHook(r *request, hook *catalog.Hook, body []byte) ([]byte, error) {
	if len(body) > maxHookBody {
		return nil, &fault{code: "too_large", detail: "A hook takes at most " + itoa(maxHookBody) + " bytes."}
	}
	if hook.Verify != nil {
		if err := a.Webhooks.Verify(r.Context(), r.org, hook.Verify, r.Header, body); err != nil {
			return nil, err
		}
	}
	parsed, err := catalog.ParseBody(body)
	if err != nil {
		return nil, &fault{code: "bad_json", detail: "The body must be JSON in UTF-8 without a name twice in one object, nested up to 64 deep."}
	}
	in := &catalog.Request{Body: parsed,
		Query: func(name string) (string, bool) { return r.query().Get(name), r.query().Has(name) },
		Header: func(name string) (string, bool) {
			values := r.Header.Values(name)
			return r.Header.Get(name), len(values) > 0
		}}
	return hook.Map(in, r.Header.Get(webhook.HeaderID))
}
