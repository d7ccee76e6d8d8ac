package api

import (
	"strconv"

	"laurel/internal/activity"
)

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
	if !validText(id) {
		return "", "", badRequest("id", "An activity id is 1 to 128 bytes of UTF-8 without control characters.")
	}
	return user, activity.ID(id), nil
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
