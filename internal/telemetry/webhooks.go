package telemetry

import (
	"slices"
	"time"
)

// WebhookResults are the values of laurel_webhook_requests_total's label result.
var WebhookResults = [...]string{"ok", "refused", "unreached"}

// Webhook counts a request to a webhook.
func (m *Metrics) Webhook(result string, d time.Duration) {
	if !slices.Contains(WebhookResults[:], result) {
		result = other
	}
	m.webhooks.WithLabelValues(result).Inc()
	m.webhook.Observe(d.Seconds())
}

// WebhookGap counts that events were trimmed which a webhook had not been sent.
func (m *Metrics) WebhookGap() { m.gaps.Inc() }

// WatchWebhooks reads the gauge of webhooks when metrics are scraped.
func (m *Metrics) WatchWebhooks(lag func() time.Duration) {
	m.watch("laurel_webhook_lag_seconds", "How long the oldest event has been waiting that a webhook of this node is to be sent.", func() float64 { return lag().Seconds() })
}
