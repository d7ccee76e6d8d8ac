package api

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// parameters are a query as it is written, which is well-formed: see run. Reads have one or two, which are found sooner than put into a map.
type parameters string

// Has says whether there is a parameter of this name.
func (p parameters) Has(name string) bool {
	_, ok := p.find(name)
	return ok
}

// Get is the first value of a parameter, "" if there is none.
func (p parameters) Get(name string) string {
	value, _ := p.find(name)
	return value
}

// All is every value of a parameter that may be repeated, in order; nil if there is none.
func (p parameters) All(name string) (values []string) {
	for pair := range strings.SplitSeq(string(p), "&") {
		if key, value, _ := strings.Cut(pair, "="); pair != "" && unescape(key) == name {
			values = append(values, unescape(value))
		}
	}
	return values
}

// Members are the parameters whose names are those of members of an object, fields.x for the member x of fields; nil if there is none.
func (p parameters) Members(object string) (members map[string]string) {
	for pair := range strings.SplitSeq(string(p), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if name, is := strings.CutPrefix(unescape(key), object+"."); is {
			if members == nil {
				members = map[string]string{}
			}
			members[name] = unescape(value)
		}
	}
	return members
}

func (p parameters) find(name string) (value string, ok bool) {
	for rest := string(p); rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		if unescape(key) == name {
			return unescape(value), true
		}
	}
	return "", false
}

func unescape(s string) string {
	if strings.ContainsAny(s, "%+") {
		s, _ = url.QueryUnescape(s)
	}
	return s
}

// pathUser is the user of the path, percent-decoded.
func pathUser(r *request) (activity.User, error) {
	user := r.PathValue("user")
	if !validText(user) {
		return "", badRequest("user", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
	}
	return activity.User(user), nil
}

// pathActivity is the user and the activity of the path.
func pathActivity(r *request) (activity.User, activity.ID, error) {
	user, err := pathUser(r)
	if err != nil {
		return "", "", err
	}
	id := r.PathValue("id")
	if !validText(id) && !creditText(id) {
		return "", "", badRequest("id", "An activity id is 1 to 128 bytes of UTF-8 without control characters.")
	}
	return user, activity.ID(id), nil
}

// maxCredit is the longest id of a credit: of each byte of the user's id it may have three.
const maxCredit = len("bounty::") + 3*maxID + maxID

// creditText says whether a text may be the id of what a user received, which has the giver's id in it.
func creditText(s string) bool {
	return len(s) <= maxCredit && (strings.HasPrefix(s, "gift:") || strings.HasPrefix(s, "bounty:")) && utf8.ValidString(s) && !hasControl([]byte(s))
}

// queryInt is an integer parameter within [low, high], or what stands for an absent one.
func queryInt(r *request, name string, absent, low, high int) (int, error) {
	q := r.query()
	if !q.Has(name) {
		return absent, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < low || n > high {
		return 0, badRequest(name, "This must be an integer from "+itoa(low)+" to "+itoa(high)+".")
	}
	return n, nil
}

// queryInstant is a parameter that is an instant, nil for an absent one.
func queryInstant(r *request, name string) (*calendar.Instant, error) {
	q := r.query()
	if !q.Has(name) {
		return nil, nil
	}
	i, _, err := calendar.ParseInstant(q.Get(name))
	if err != nil {
		return nil, badRequest(name, "This must be an RFC 3339 time with an offset, from 1970 on; write + as %2B.")
	}
	return &i, nil
}
