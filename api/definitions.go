package api

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/registry"
)

// definitionSet is the definitions of one kind at one path.
type definitionSet struct {
	api  *API
	kind catalog.Kind
	at   string
	name string // of one of them, in operation ids
	many string
}

// definitionRoutes are those of every kind, of which streak rules have two paths. Kinds are written out, not matched: a path that is none leads nowhere.
func (a *API) definitionRoutes() (routes []route) {
	for _, s := range []definitionSet{
		{a, catalog.Rules, "/v1/catalog/rules", "Rule", "Rules"},
		{a, catalog.Streaks, "/v1/catalog/streaks", "CatalogStreak", "CatalogStreaks"},
		{a, catalog.Behaviours, "/v1/catalog/behaviours", "Behaviour", "Behaviours"},
		{a, catalog.Streaks, "/v1/streaks", "StreakRule", "StreakRules"},
		{a, catalog.Wallets, "/v1/catalog/wallets", "CatalogWallet", "CatalogWallets"},
		{a, catalog.Awards, "/v1/catalog/awards", "CatalogAward", "CatalogAwards"},
		{a, catalog.Levels, "/v1/catalog/levels", "CatalogLevel", "CatalogLevels"},
		{a, catalog.Achievements, "/v1/catalog/achievements", "CatalogAchievement", "CatalogAchievements"},
		{a, catalog.Missions, "/v1/catalog/missions", "CatalogMission", "CatalogMissions"},
		{a, catalog.Rewards, "/v1/catalog/rewards", "CatalogReward", "CatalogRewards"},
		{a, catalog.Gifts, "/v1/catalog/gifts", "CatalogGift", "CatalogGifts"},
		{a, catalog.Bounties, "/v1/catalog/bounties", "CatalogBounty", "CatalogBounties"},
		{a, catalog.KPIs, "/v1/catalog/kpis", "CatalogKPI", "CatalogKPIs"},
		{a, catalog.TargetGroups, "/v1/catalog/target-groups", "CatalogTargetGroup", "CatalogTargetGroups"},
		{a, catalog.Prizes, "/v1/catalog/prizes", "CatalogPrize", "CatalogPrizes"},
		{a, catalog.Webhooks, "/v1/catalog/webhooks", "CatalogWebhook", "CatalogWebhooks"},
		{a, catalog.Hooks, "/v1/catalog/hooks", "CatalogHook", "CatalogHooks"},
	} {
		routes = append(routes, s.routes()...)
	}
	return routes
}

func (s definitionSet) routes() []route {
	one := s.at + "/{id}"
	return []route{
		{method: http.MethodGet, pattern: s.at, scope: auth.CatalogRead, serve: s.list, doc: s.docList()},
		{method: http.MethodPost, pattern: s.at, scope: auth.CatalogWrite, serve: s.post, doc: s.docPost()},
		{method: http.MethodGet, pattern: one, scope: auth.CatalogRead, serve: s.get, doc: s.docGet()},
		{method: http.MethodPut, pattern: one, scope: auth.CatalogWrite, serve: s.put, doc: s.docPut()},
		{method: http.MethodDelete, pattern: one, scope: auth.CatalogWrite, serve: s.delete, doc: s.docDelete()},
	}
}

func (s definitionSet) list(w http.ResponseWriter, r *request) error {
	e, ok := s.api.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	list := e.Catalog.Definitions(s.kind)
	if list == nil {
		list = []jsontext.Value{}
	}
	text, err := json.Marshal(map[catalog.Kind][]jsontext.Value{s.kind: list})
	if err != nil {
		return err
	}
	return writeVersion(w, r, e.Version, text)
}

func (s definitionSet) get(w http.ResponseWriter, r *request) error {
	e, ok := s.api.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	definition, err := e.Catalog.Definition(s.kind, r.PathValue("id"))
	if err != nil {
		return err
	}
	return writeVersion(w, r, e.Version, definition)
}

// edit is one change of one definition.
type edit struct {
	id      string
	place   string           // of the definition, for faults
	created bool             // it was not there before
	next    *catalog.Catalog // what was published
}

func (s definitionSet) post(w http.ResponseWriter, r *request) error {
	body, err := s.body(r)
	if err != nil {
		return err
	}
	var ed edit
	err = s.edit(w, r, &ed, func(old *catalog.Catalog) (err error) {
		ed.place, ed.created = old.Place(s.kind, ""), true
		ed.next, ed.id, err = old.Add(s.kind, body)
		return err
	})
	if err != nil {
		return err
	}
	return s.write(w, &ed)
}

func (s definitionSet) put(w http.ResponseWriter, r *request) error {
	body, err := s.body(r)
	if err != nil {
		return err
	}
	ed := edit{id: r.PathValue("id")}
	err = s.edit(w, r, &ed, func(old *catalog.Catalog) (err error) {
		_, missing := old.Definition(s.kind, ed.id)
		ed.place, ed.created = old.Place(s.kind, ed.id), missing != nil
		ed.next, err = old.Put(s.kind, ed.id, body)
		return err
	})
	if err != nil {
		return err
	}
	return s.write(w, &ed)
}

func (s definitionSet) delete(w http.ResponseWriter, r *request) error {
	ed := edit{id: r.PathValue("id"), place: "none"} // every fault is of other definitions
	err := s.edit(w, r, &ed, func(old *catalog.Catalog) (err error) {
		ed.next, err = old.Remove(s.kind, ed.id)
		return err
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// edit publishes the change that f puts into ed. The answer gets the version of what was published, unless somebody has published since.
func (s definitionSet) edit(w http.ResponseWriter, r *request, ed *edit, f func(old *catalog.Catalog) error) error {
	version, anyVersion := parseMatch(cmp.Or(r.Header.Get("If-Match"), "*"))
	e, err := s.api.Registry.Edit(r.Context(), r.org, version, anyVersion, func(old *catalog.Catalog) (*catalog.Catalog, error) {
		err := f(old)
		if err == nil {
			err = mayDefine(r, old, ed.next)
		}
		return ed.next, err
	})
	if err != nil {
		return catalogFault(err, ed.place)
	}
	if e.Catalog.Hash == ed.next.Hash {
		w.Header().Set("ETag", versionTag(e.Version))
	}
	return nil
}

// body is a definition's text. It is a copy, as the edit goes on when the room for large bodies is given back.
func (s definitionSet) body(r *request) (definition []byte, err error) {
	if _, err := formatOf(r, formatJSON, formatYAML); err != nil {
		return nil, err
	}
	err = s.api.withBody(r, func(body []byte) error {
		if len(body) > catalog.MaxSource {
			return &fault{code: "too_large", detail: "A definition has at most " + itoa(catalog.MaxSource) + " bytes."}
		}
		definition = bytes.Clone(body)
		return nil
	})
	return definition, err
}

// write answers with the definition as it was published.
func (s definitionSet) write(w http.ResponseWriter, ed *edit) error {
	definition, err := ed.next.Definition(s.kind, ed.id)
	if err != nil {
		return err
	}
	if !ed.created {
		return writeBytes(w, http.StatusOK, definition)
	}
	w.Header().Set("Location", s.at+"/"+pathSegment(ed.id))
	return writeBytes(w, http.StatusCreated, definition)
}

// pathSegment writes an id such that it is one segment of a path, and not one that clients take for a directory.
func pathSegment(id string) string {
	if slices.Contains([]string{".", ".."}, id) {
		return strings.ReplaceAll(id, ".", "%2E")
	}
	return url.PathEscape(id)
}
