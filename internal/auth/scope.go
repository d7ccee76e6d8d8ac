package auth

// Scope is one thing that a key may be good for.
type Scope string

// The scopes. Signed tokens are made with TokensWrite, or UsersWrite, which includes it.
const (
	ActivitiesWrite Scope = "activities:write"
	UsersRead       Scope = "users:read"
	UsersWrite      Scope = "users:write"
	BoardsRead      Scope = "boards:read"
	CatalogRead     Scope = "catalog:read"
	CatalogWrite    Scope = "catalog:write"
	KeysAdmin       Scope = "keys:admin"
	TokensWrite     Scope = "tokens:write"
	// HooksWrite is good for hooks of the catalog and nothing else: for senders that have their key in a URL.
	HooksWrite Scope = "hooks:write"
)

// Scopes returns all scopes.
func Scopes() []Scope {
	return []Scope{ActivitiesWrite, UsersRead, UsersWrite, BoardsRead, CatalogRead, CatalogWrite, KeysAdmin, TokensWrite, HooksWrite}
}

// ParseScope reads a scope's name. "Get User Data" is another name of users:read.
func ParseScope(name string) (Scope, bool) {
	if name == "Get User Data" {
		return UsersRead, true
	}
	for _, s := range Scopes() {
		if string(s) == name {
			return s, true
		}
	}
	return "", false
}
