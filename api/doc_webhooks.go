package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

const exampleWebhook = `{"id":"shop","url":"https://shop.example/laurel","state":"failing","delivered":412,"last_success_at":"2026-11-21T19:40:00.000Z",` +
	`"last_error":{"at":"2026-11-21T19:41:00.000Z","status":503,"detail":"503 Service Unavailable"},"failing_since":"2026-11-21T19:41:00.000Z","attempts":3,` +
	`"next_attempt_at":"2026-11-21T19:42:20.000Z","lag_seconds":62.5,"gaps":0,"secret_hints":["…3fK-9aQz"]}`

func docGetWebhooks() operation {
	return operation{id: "listWebhooks", tag: "webhooks", summary: "See how the webhooks do", description: "They are defined in the catalog: /v1/catalog/webhooks.",
		responses: []response{ok("Every webhook, in the order of the catalog", webhookList{}, `{"webhooks":[`+exampleWebhook+`]}`)}, errors: []string{"org_not_found"}}
}

func docGetWebhook() operation {
	return operation{id: "getWebhook", tag: "webhooks", summary: "See how a webhook does",
		description: "As of the last time that the node which sends has stored it: every 20 s, and whenever something becomes of an event.",
		responses:   []response{ok("How it does", webhookWire{}, exampleWebhook)}, errors: webhookErrors()}
}

func docTestWebhook() operation {
	return operation{id: "testWebhook", tag: "webhooks", summary: "Send a test event now",
		description: "One event of the type webhook.test, signed like any other, once and from the node that is asked. Nothing is changed by it.",
		responses:   []response{ok("What became of it", webhookAttempt{}, `{"delivered":true,"status":204,"took_ms":37}`)}, errors: append(webhookErrors(), "no_secret")}
}

func docEnableWebhook() operation {
	return operation{id: "enableWebhook", tag: "webhooks", summary: "Have a webhook tried again now",
		description: "Also one that is disabled. It goes on where it stopped, as far as events are kept, or from now on. A definition with another url does the same.",
		body:        &content{of: webhookEnable{}, optional: true, example: `{"from":"cursor"}`},
		responses:   []response{ok("How it does", webhookWire{}, exampleWebhook)}, errors: webhookErrors()}
}

func webhookErrors() []string { return []string{"org_not_found", "definition_not_found"} }

// anyJSON is a body of any form.
type anyJSON struct{}

// Schema implements huma.SchemaProvider.
func (anyJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Any JSON, up to 1 MiB. The hook's definition says what is made of it"}
}

// oneOfHook is the 200 of POST /v1/hooks/{id}, which has two forms.
type oneOfHook struct{}

// Schema implements huma.SchemaProvider.
func (oneOfHook) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[recorded](), true, ""), r.Schema(reflect.TypeFor[hookSkipped](), true, "")}}
}

func docPostHook() operation {
	return operation{id: "postHook", tag: "webhooks", summary: "Make an activity of what another system sends",
		description: "The hook's definition (/v1/catalog/hooks) says by expressions over body, query and header which activity it is; it goes the way of POST /v1/activities, and is " +
			"known again by the id that is mapped, else by the header webhook-id. Where the definition says how the sender signs, a request without a good signature is 401 bad_signature. " +
			"A sender that cannot set headers gives a key that has the scope hooks:write and no other as the parameter key.",
		query: []param{{name: "key", description: "A key with the scope hooks:write and no other, in the place of Authorization", schema: text()}},
		body:  &content{of: anyJSON{}, optional: true, example: `{"action":"opened","sender":{"login":"ada"}}`},
		responses: []response{ok("It was known already, or the hook's when does not hold", oneOfHook{}, `{"status":"skipped"}`),
			{status: http.StatusCreated, description: "The activity was recorded", content: &content{of: recorded{},
				example: `{"id":"7","status":"accepted","activity":` + exampleActivity + `,"durability":"fsync","revision":"aB3dE:1763754000000-0"}`}}},
		errors: []string{"org_not_found", "definition_not_found", "bad_signature", "no_secret", "hook_unmapped", "id_conflict", "value_out_of_range", "overloaded"}}
}
