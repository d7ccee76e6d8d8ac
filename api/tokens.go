package api

import (
	"net/http"
	"time"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

func (a *API) tokenRoutes() []route {
	return []route{{method: http.MethodPost, pattern: "/v1/tokens", scope: auth.TokensWrite, serve: a.postToken, doc: docPostToken()}}
}

// tokenSpec describes a token to be signed.
type tokenSpec struct {
	User      *activity.User `json:"user,omitempty" nullable:"false" minLength:"1" maxLength:"128" doc:"Whose own data it shows; left out: nobody's"`
	Boards    *[]string      `json:"boards,omitempty" nullable:"false" maxItems:"32" doc:"rule, or rule/period as requests write it; left out: all boards; empty: none" example:"[\"commits\",\"lines/week\"]"`
	ExpiresIn *int           `json:"expires_in,omitempty" nullable:"false" minimum:"1" maximum:"86400" doc:"Seconds; left out: 3600"`
	Origins   []string       `json:"origins,omitempty" nullable:"false" maxItems:"8" doc:"The pages that may use it; left out: any" example:"[\"https://shop.example\"]"`
}

// tokenWire is a signed token.
type tokenWire struct {
	Token     string  `json:"token" doc:"A JWT: Bearer token of reads, and token of a WebSocket's hello or URL"`
	ExpiresAt *string `json:"expires_at" format:"date-time"`
}

func (a *API) postToken(w http.ResponseWriter, r *request) error {
	var in tokenSpec
	if err := a.decodeBody(r, &in, optional); err != nil {
		return err
	}
	spec, err := in.spec()
	if err != nil {
		return err
	}
	token, expires, err := a.Keys.Sign(r.identity, r.org, spec)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusCreated, tokenWire{Token: token, ExpiresAt: stamp(expires)})
}

// spec checks what only the wire form can get wrong.
func (in *tokenSpec) spec() (s auth.TokenSpec, err error) {
	seconds, err := within("expires_in", in.ExpiresIn, int(auth.DefaultTTL/time.Second), 1, int(auth.MaxTTL/time.Second))
	if err != nil {
		return s, err
	}
	s.TTL, s.Origins = time.Duration(seconds)*time.Second, in.Origins
	if in.User != nil {
		if s.User = *in.User; s.User == "" {
			return s, badRequest("user", "A user id is 1 to 128 bytes of UTF-8 without control characters; leave it out for a token of nobody.")
		}
	}
	if in.Boards != nil {
		s.Boards = auth.Boards(*in.Boards)
		if s.Boards == nil {
			s.Boards = auth.Boards{}
		}
	}
	return s, nil
}

// permit says whether a signed token is good for the request: boards that it names, and what belongs to its own user.
func permit(rt route, r *request, token *auth.Identity) error {
	switch rule := r.PathValue("rule"); {
	case rt.own && (token.User == "" || r.PathValue("user") != string(token.User)):
		return &fault{code: "forbidden", detail: "This token does not name that user."}
	case rt.own:
		return nil
	case !rt.browser:
		return &fault{code: "forbidden", detail: "Signed tokens read boards and what belongs to their own user."}
	case rule != "" && !token.Boards.Allow(rule, r.PathValue("period")):
		return forbiddenBoard()
	}
	return nil
}

func forbiddenBoard() *fault {
	return &fault{code: "forbidden", detail: "This token is not for that board."}
}
