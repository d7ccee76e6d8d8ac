package api

func docPostToken() operation {
	return operation{id: "createToken", tag: "keys", summary: "Sign a token for a page",
		description: "For an application's backend, which hands it to its own page. The token reads boards and, where it names a user, what belongs to that user, over REST and live; " +
			"it writes nothing. It is stored nowhere and cannot be taken back alone: it ends at expires_at, or when the key that made it is revoked. A key with " +
			"users:write may make tokens too. A page of another origin than the server's can use it for REST if a pk key is bound to that origin: a " +
			"browser asks without the token first.",
		body: &content{of: tokenSpec{}, optional: true, example: `{"user":"ada","boards":["commits","lines/week"],"expires_in":3600}`},
		responses: []response{created("The token", tokenWire{}, `{"token":"eyJhbGciOiJIUzI1NiIsImtpZCI6InRva2Vucy4xIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZGEifQ.`+
			`c2lnbmF0dXJl","expires_at":"2026-11-21T20:40:00.000Z"}`)}}
}
