package api

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/query"
)

const (
	defaultLimit = 50
	maxLimit     = 1_000
	maxAround    = 500
	maxRanks     = 1_000
)

func (a *API) boardRoutes() []route {
	const board = "/v1/leaderboards/{rule}/{period}"
	return []route{
		{method: http.MethodGet, pattern: "/v1/leaderboards", scope: auth.BoardsRead, browser: true, serve: a.getBoards, doc: docGetBoards()},
		{method: http.MethodGet, pattern: board, scope: auth.BoardsRead, browser: true, serve: a.getBoard, doc: docGetBoard()},
		{method: http.MethodGet, pattern: board + "/count", scope: auth.BoardsRead, browser: true, serve: a.getCount, doc: docGetCount()},
		{method: http.MethodPost, pattern: "/v1/leaderboards/query", scope: auth.BoardsRead, browser: true, serve: a.postQuery, doc: docPostQuery()},
		{method: http.MethodGet, pattern: board + "/users/{user}", scope: auth.BoardsRead, browser: true, serve: a.getRank, doc: docGetRank()},
		{method: http.MethodPost, pattern: board + "/ranks", scope: auth.BoardsRead, browser: true, serve: a.postRanks, doc: docPostRanks()},
	}
}

// await keeps a read until this node knows the revision that the client has seen.
func (a *API) await(r *request) error {
	if revision := r.query().Get("min_revision"); revision != "" {
		return a.Reads.Wait(r.Context(), revision)
	}
	return nil
}

func (a *API) getBoards(w http.ResponseWriter, r *request) error {
	if err := a.await(r); err != nil {
		return err
	}
	list, err := a.Reads.Leaderboards(r.Context(), r.org)
	if err != nil {
		return err
	}
	list.Leaderboards = slices.DeleteFunc(list.Leaderboards, func(l query.LeaderboardInfo) bool { return !r.identity.Boards.AllowSome(l.Rule) })
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) getBoard(w http.ResponseWriter, r *request) error {
	page, err := boardPage(r)
	if err != nil {
		return err
	}
	reads, err := a.reader(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	board, err := reads.Leaderboard(r.Context(), r.org, r.PathValue("rule"), r.PathValue("period"), page, held(r))
	if err != nil {
		return err
	}
	return a.writeFresh(w, r, board.Fresh(), board)
}

func (a *API) getRank(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	around, err := queryInt(r, "around", -1, 0, maxAround)
	if err != nil {
		return err
	}
	reads, err := a.reader(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	rank, err := reads.UserRank(r.Context(), r.org, r.PathValue("rule"), r.PathValue("period"), user, around, held(r))
	if err != nil {
		return err
	}
	return a.writeFresh(w, r, rank.Fresh(), rank)
}

// rankQuery asks for many users at once.
type rankQuery struct {
	Users    userList `json:"users" maxItems:"1000" nullable:"false"`
	Relative bool     `json:"relative,omitempty" doc:"Rank the given users among themselves"`
}

// userList is a list of user ids. It reads itself: reflection takes several times as long, for what is most of a request.
type userList []activity.User

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *userList) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' { // null, or a mistake
		return json.UnmarshalDecode(dec, (*[]activity.User)(l))
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	list := make(userList, 0, fewUsers)
	for kind := dec.PeekKind(); kind != ']'; kind = dec.PeekKind() {
		var user activity.User
		if kind != '"' { // also a mistake
			if err := json.UnmarshalDecode(dec, &user); err != nil {
				return err
			}
		} else if text, err := dec.ReadToken(); err != nil {
			return err
		} else {
			user = activity.User(text.String())
		}
		list = append(list, user)
	}
	*l = list
	_, err := dec.ReadToken()
	return err
}

const fewUsers = 32 // for which there is room at first

// rankQuery reads the body of a request for ranks.
func (a *API) rankQuery(r *request) (in rankQuery, err error) {
	if _, err := formatOf(r, formatJSON); err != nil {
		return in, err
	}
	plain := false // plain ids are texts that may be ids
	err = a.withBody(r, func(body []byte) error {
		if in.Users, plain = plainUsers(body); plain {
			return nil
		}
		return decodeStrict(body, &in)
	})
	switch {
	case err != nil:
		return in, err
	case in.Users == nil || len(in.Users) > maxRanks:
		return in, badRequest("users", "This must be an array of up to 1000 user ids.")
	}
	for i, user := range in.Users {
		if !plain && !validText(string(user)) {
			return in, badRequest("users["+itoa(i)+"]", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
		}
	}
	return in, nil
}

func (a *API) postRanks(w http.ResponseWriter, r *request) error {
	in, err := a.rankQuery(r)
	if err != nil {
		return err
	}
	reads, err := a.reader(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	ranks, err := reads.Ranks(r.Context(), r.org, r.PathValue("rule"), r.PathValue("period"), in.Users, in.Relative)
	if err != nil {
		return err
	}
	return a.writeAppended(w, http.StatusOK, ranks)
}
