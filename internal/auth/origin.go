package auth

import (
	"net/url"
	"slices"
	"strings"
)

// anySubdomain begins the host of an origin that stands for all subdomains of a domain, the domain itself not among them.
const anySubdomain = "*."

// checkOrigin says what is wrong with an origin, "" if nothing is. What browsers never send is refused, as a list with an entry that cannot match hides a mistake.
func checkOrigin(origin string) (fault string) {
	const form = "must be a scheme and a host as browsers send them, such as https://shop.example or https://*.shop.example"
	u, err := url.Parse(strings.Replace(origin, "://"+anySubdomain, "://", 1))
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return form
	}
	scheme, host, _ := strings.Cut(origin, "://")
	domain, wild := strings.CutPrefix(host, anySubdomain)
	switch {
	case scheme != u.Scheme || domain != u.Host: // a path, a user, another case of the scheme
		return form
	case strings.Contains(domain, "*"):
		return "may have * only in front of a domain, as in https://*.shop.example"
	case strings.ToLower(domain) != domain || strings.ContainsFunc(domain, func(c rune) bool { return c > '~' }):
		return "must be in lower case, and international names in their xn-- form: that is how browsers send them"
	case strings.HasSuffix(domain, ":"):
		return form
	case wild && !strings.Contains(u.Hostname(), "."):
		return "must not be for all of a top-level domain"
	}
	return ""
}

// originIn says whether one of the list is the origin, or stands for it. Only whole labels match, and "null" never does: a list cannot have it.
func originIn(list []string, origin string) bool {
	return slices.ContainsFunc(list, func(o string) bool { return originIs(o, origin) })
}

func originIs(pattern, origin string) bool {
	scheme, domain, wild := strings.Cut(pattern, "://"+anySubdomain)
	if !wild {
		return pattern == origin
	}
	sub, inside := strings.CutSuffix(origin, "."+domain)
	sub, same := strings.CutPrefix(sub, scheme+"://")
	return inside && same && sub != "" && !strings.ContainsAny(sub, "/:@?#[]")
}
