package transfer_test

import (
	"bytes"
	"strings"
	"testing"

	"laurel/internal/testenv"
	"laurel/internal/transfer"
)

// TestExport_SecretsOfWebhooks: a dump has them, and what is made of it signs as before; one that is made without keys has none, and is taken all the same.
func TestExport_SecretsOfWebhooks(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	w := testenv.NewWorld(t, embedded(t, 1))
	source := "orgs:\n  - id: org\n    webhooks:\n      - {id: w, url: 'https://example.com', secret: " + secret + "}\n"
	if _, err := w.Registry.Apply(t.Context(), []byte(source)); err != nil {
		t.Fatal(err)
	}
	for _, without := range []bool{false, true} {
		var dump bytes.Buffer
		if _, err := transfer.Export(t.Context(), transfer.ExportOptions{Store: w.Store, Registry: w.Registry, Clock: w.Clock, WithoutKeys: without}, &dump); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(dump.String(), secret) == without {
			t.Errorf("without keys %t: the dump has the secret, or has it not", without)
		}
		to := testenv.NewWorld(t, embedded(t, 2))
		if _, err := restore(t, to, &dump); err != nil {
			t.Fatal(err)
		}
		hooks, err := to.Registry.HookState(t.Context(), org)
		if err != nil || len(hooks.Secrets) == 0 != without || len(hooks.From["w"]) != 2 {
			t.Errorf("without keys %t: %+v, %v", without, hooks, err)
		}
	}
}
