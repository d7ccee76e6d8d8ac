package ws

import (
	"time"

	"laurel/internal/feed"
)

// maxRenamed bounds the users whose profile changes are looked for in the views' rows; beyond, all board views of their orgs are rendered.
const maxRenamed = 4096

// renamed are the users whose profiles changed since the last tick, and when first.
type renamed map[feed.UserKey]time.Time

// renameLocked notes profiles that changed, for the views that show any.
func (l *lane) renameLocked(users []feed.UserKey, now time.Time) {
	if len(l.profiled) == 0 {
		return
	}
	for _, u := range users {
		switch _, noted := l.renamed[u]; {
		case noted:
		case len(l.renamed) < maxRenamed:
			l.renamed[u] = now
		default:
			l.touchOrgLocked(u.Org, now)
		}
	}
}

// takeRenamed adds the views that show someone whose profile changed. Who comes into a view later comes with the profile of then. Called with Hub.mu
// held, by the goroutine that steps.
func (l *lane) takeRenamed(views []*view) []*view {
	if len(l.renamed) == 0 {
		return views
	}
	for v := range l.profiled {
		if woken, shown := v.showsAny(l.renamed); shown {
			views = v.collect(views, woken)
		}
	}
	clear(l.renamed)
	return views
}

// showsAny says whether the view's last rendering has a row of one of the users, and when that user's profile changed.
func (v *view) showsAny(users renamed) (woken time.Time, shown bool) {
	if v.rendered == nil {
		return woken, false // its first rendering, still to come, reads what is there then
	}
	for i := range v.rendered.Rows {
		if woken, shown = users[feed.UserKey{Org: v.org, User: v.rendered.Rows[i].User}]; shown {
			return woken, true
		}
	}
	return woken, false
}
