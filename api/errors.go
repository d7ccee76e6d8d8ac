package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/closing"
	"laurel/internal/feed"
	"laurel/internal/fold"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/query"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/webhook"
	"laurel/ranking"
)

// fault is an error that arises in this package: a request that cannot be read or is not allowed. All of it is shown.
type fault struct {
	code   string
	detail string // "": the code's title says it all
	field  string
	errors []fieldError
}

// Error implements error.
func (f *fault) Error() string { return f.code + ": " + f.detail }

// badRequest is a parameter or member that is not acceptable.
func badRequest(field, detail string) *fault {
	return &fault{code: "bad_request", field: field, detail: detail}
}

// codeInfo is what a stable code means to HTTP.
type codeInfo struct {
	status int
	title  string
	retry  string // Retry-After in seconds, "" none
}

// codes is every code that a problem document may carry. Codes of items of a batch that stand in no row here are 422 when the item
// comes alone.
func codes() map[string]codeInfo {
	return map[string]codeInfo{
		"bad_json":               {http.StatusBadRequest, "The body is not strict JSON of the expected form", ""},
		"bad_request":            {http.StatusBadRequest, "A parameter is missing or out of its range", ""},
		"bad_period":             {http.StatusBadRequest, "No such period of this rule", ""},
		"bad_view":               {http.StatusBadRequest, "Malformed view", ""},
		"bad_cursor":             {http.StatusBadRequest, "The cursor is malformed or of another board", ""},
		"bad_revision":           {http.StatusBadRequest, "The revision is malformed", ""},
		"bad_time":               {http.StatusBadRequest, "Not an RFC 3339 time with an offset, from 1970 on", ""},
		"org_required":           {http.StatusBadRequest, "The key is for several orgs: name one in the header Laurel-Org", ""},
		"unauthorized":           {http.StatusUnauthorized, "A good key is needed", ""},
		"bad_signature":          {http.StatusUnauthorized, "The sender's signature is missing, old, or of another secret or body", ""},
		"forbidden":              {http.StatusForbidden, "The key does not allow this", ""},
		"not_found":              {http.StatusNotFound, "No such route", ""},
		"org_not_found":          {http.StatusNotFound, "The org has no catalog", ""},
		"user_not_found":         {http.StatusNotFound, "No such user", ""},
		"activity_not_found":     {http.StatusNotFound, "No such activity", ""},
		"import_not_found":       {http.StatusNotFound, "No such import", ""},
		"rule_not_found":         {http.StatusNotFound, "No such rule", ""},
		"streak_not_found":       {http.StatusNotFound, "The org has no such streak rule", ""},
		"wallet_not_found":       {http.StatusNotFound, "The org has no such wallet", ""},
		"mission_not_found":      {http.StatusNotFound, "The org has no such mission", ""},
		"reward_not_found":       {http.StatusNotFound, "The org has no such reward", ""},
		"grant_not_found":        {http.StatusNotFound, "The user was given nothing of this id, or nobody of this code", ""},
		"target_group_not_found": {http.StatusNotFound, "The org has no such target group", ""},
		"definition_not_found":   {http.StatusNotFound, "The catalog has no such definition", ""},
		"not_ranked":             {http.StatusNotFound, "The user has no value on this board", ""},
		"pause_not_found":        {http.StatusNotFound, "No such pause", ""},
		"key_not_found":          {http.StatusNotFound, "No such key", ""},
		"method_not_allowed":     {http.StatusMethodNotAllowed, "The path does not have this method", ""},
		"id_conflict":            {http.StatusConflict, "The id belongs to another activity of this user", ""},
		"exists":                 {http.StatusConflict, "The id is taken", ""},
		"enrolment_automatic":    {http.StatusConflict, "The target group enrols by itself", ""},
		"taken":                  {http.StatusConflict, "The value belongs to another user", ""},
		"import_closed":          {http.StatusConflict, "The import is closed", ""},
		"restore_not_allowed":    {http.StatusConflict, "The streak rule has no restore_window", ""},
		"nothing_to_restore":     {http.StatusConflict, "No streak was lost", ""},
		"restore_expired":        {http.StatusConflict, "The streak was lost longer ago than restore_window", ""},
		"mission_not_startable":  {http.StatusConflict, "The mission starts by itself, runs, was completed, or has no attempt left", ""},
		"credit":                 {http.StatusConflict, "A credit goes with what it comes from: reject that", ""},
		"refunded":               {http.StatusConflict, "A refund of this counts: reject that first", ""},
		"bounty_ended":           {http.StatusConflict, "The bounty was cancelled or awarded", ""},
		"grant_conflict":         {http.StatusConflict, "The id is that of another grant of the user", ""},
		"grant_expired":          {http.StatusConflict, "The grant has expired", ""},
		"pause_overlaps":         {http.StatusConflict, "The pause overlaps another one of the user", ""},
		"pause_over":             {http.StatusConflict, "The pause is over, and stays as it was", ""},
		"too_many_commands":      {http.StatusConflict, "As much was ordered for this user as may be", ""},
		"epoch_changed":          {http.StatusConflict, "The revision is of another history of the store", ""},
		"period_gone":            {http.StatusGone, "The period is past its retention", ""},
		"events_gone":            {http.StatusGone, "Events after this one are no longer kept", ""},
		"user_merged":            {http.StatusGone, "The user was merged into another one", ""},
		"sealed":                 {http.StatusGone, "This lies before what can still be changed", ""},
		"version_mismatch":       {http.StatusPreconditionFailed, "The catalog was changed meanwhile", ""},
		"too_large":              {http.StatusRequestEntityTooLarge, "The request is over a limit", ""},
		"unsupported_media_type": {http.StatusUnsupportedMediaType, "The body has an unsupported type or encoding", ""},
		"bad_catalog":            {http.StatusUnprocessableEntity, "The catalog has faults", ""},
		"value_out_of_range":     {http.StatusUnprocessableEntity, "A number leaves the range ±2^53", ""},
		"hook_unmapped":          {http.StatusUnprocessableEntity, "The hook's definition makes no activity of this", ""},
		"too_old":                {http.StatusUnprocessableEntity, "The activity is further back than the org accepts", ""},
		"in_future":              {http.StatusUnprocessableEntity, "The activity lies too far in the future", ""},
		"out_of_stock":           {http.StatusUnprocessableEntity, "Nothing is left of the reward", ""},
		"unknown_behaviour":      {http.StatusUnprocessableEntity, "The org declares its behaviours, and this is none of them", ""},
		"unknown_wallet":         {http.StatusUnprocessableEntity, "The org has no such wallet", ""},
		"unknown_reward":         {http.StatusUnprocessableEntity, "The org has no such reward with a price", ""},
		"unknown_gift":           {http.StatusUnprocessableEntity, "The org has no such gift", ""},
		"unknown_bounty":         {http.StatusUnprocessableEntity, "The org has no such bounty", ""},
		"bounty_not_found":       {http.StatusUnprocessableEntity, "The user has no such open bounty", ""},
		"too_many_bounties":      {http.StatusUnprocessableEntity, "The user has as many open bounties as there may be", ""},
		"insufficient_points":    {http.StatusUnprocessableEntity, "The wallet lacks points for this", ""},
		"not_refundable":         {http.StatusUnprocessableEntity, "Nothing is left to be refunded, or it is sealed", ""},
		"coupon_used":            {http.StatusUnprocessableEntity, "The coupon was used, or has expired", ""},
		"gift_to_self":           {http.StatusUnprocessableEntity, "A gift goes to another user", ""},
		"too_many_values":        {http.StatusUnprocessableEntity, "A rule keeps no more different values of one user and period", ""},
		"too_many_pauses":        {http.StatusUnprocessableEntity, "There are as many pauses as there may be", ""},
		"target_not_allowed":     {http.StatusUnprocessableEntity, "The streak rule lets no user choose a target: it has no user_target", ""},
		"target_out_of_range":    {http.StatusUnprocessableEntity, "The target is below the streak rule's own or above what it allows", ""},
		"bad_pause":              {http.StatusUnprocessableEntity, "A pause cannot be of these dates", ""},
		"precondition_required":  {http.StatusPreconditionRequired, "If-Match is required", ""},
		"overloaded":             {http.StatusTooManyRequests, "More is coming in than can be stored", "1"},
		"too_many_zone_changes":  {http.StatusTooManyRequests, "The user's zone was changed too often within a day", "3600"},
		"internal":               {http.StatusInternalServerError, "Something went wrong here", ""},
		"unavailable":            {http.StatusServiceUnavailable, "The store cannot be reached", "1"},
		"no_secret":              {http.StatusServiceUnavailable, "The secret to sign or verify by is not known here", "60"},
		"behind":                 {http.StatusServiceUnavailable, "This node has not reached the revision yet", "1"},
		"loading":                {http.StatusServiceUnavailable, "This is being loaded", "1"},
	}
}

// answer maps an error of the domain to its code.
type answer struct {
	err  error
	code string
}

// answers is the one table of what clients are told about the domain's errors. The first that matches counts.
func answers() []answer {
	return []answer{
		{auth.ErrUnauthorized, "unauthorized"},
		{auth.ErrForbidden, "forbidden"},
		{auth.ErrOrgRequired, "org_required"},
		{auth.ErrKeyNotFound, "key_not_found"},
		{auth.ErrBadKey, "bad_request"},
		{registry.ErrVersionMismatch, "version_mismatch"},
		{registry.ErrOrgNotFound, "org_not_found"},
		{catalog.ErrNoDefinition, "definition_not_found"},
		{catalog.ErrExists, "exists"},
		{registry.ErrBadOutage, "bad_request"},
		{registry.ErrOutageSealed, "sealed"},
		{registry.ErrTooManyOutages, "too_many_pauses"},
		{registry.ErrOutageNotFound, "pause_not_found"},
		{ingest.ErrOverloaded, "overloaded"},
		{ingest.ErrImportNotFound, "import_not_found"},
		{ingest.ErrImportClosed, "import_closed"},
		{ingest.ErrUserNotFound, "user_not_found"},
		{ingest.ErrActivityNotFound, "activity_not_found"},
		{ingest.ErrUserMerged, "user_merged"},
		{ingest.ErrSameUser, "bad_request"},
		{ingest.ErrTaken, "taken"},
		{ingest.ErrSealed, "sealed"},
		{ingest.ErrBadZone, "bad_request"},
		{ingest.ErrConflict, "unavailable"},
		{ingest.ErrRewardNotFound, "reward_not_found"},
		{ingest.ErrGrantNotFound, "grant_not_found"},
		{ingest.ErrGrantConflict, "grant_conflict"},
		{ingest.ErrNotCounted, "bad_request"},
		{ingest.ErrOutOfStock, "out_of_stock"},
		{grants.ErrExpired, "grant_expired"},
		{progress.ErrTooOld, "too_old"},
		{progress.ErrInFuture, "in_future"},
		{progress.ErrUnknownBehaviour, "unknown_behaviour"},
		{progress.ErrBadState, "internal"},
		{progress.ErrStreakNotFound, "streak_not_found"},
		{progress.ErrMissionNotFound, "mission_not_found"},
		{progress.ErrGroupNotFound, "target_group_not_found"},
		{progress.ErrNotExplicit, "enrolment_automatic"},
		{query.ErrGroupNotFound, "target_group_not_found"},
		{progress.ErrNotStartable, "mission_not_startable"},
		{progress.ErrCredit, "credit"},
		{progress.ErrRefunded, "refunded"},
		{progress.ErrBountyEnded, "bounty_ended"},
		{progress.ErrNotRefundable, "not_refundable"},
		{progress.ErrNeedLog, "internal"},
		{progress.ErrNoRestore, "restore_not_allowed"},
		{progress.ErrNothingToRestore, "nothing_to_restore"},
		{progress.ErrRestoreExpired, "restore_expired"},
		{progress.ErrNoOwnTarget, "target_not_allowed"},
		{progress.ErrTargetRange, "target_out_of_range"},
		{progress.ErrPausePast, "bad_pause"},
		{progress.ErrPauseRange, "bad_pause"},
		{progress.ErrPauseOverlaps, "pause_overlaps"},
		{progress.ErrPauseNotFound, "pause_not_found"},
		{progress.ErrPauseOver, "pause_over"},
		{progress.ErrTooManyCommands, "too_many_commands"},
		{progress.ErrZoneChanges, "too_many_zone_changes"},
		{activity.ErrBadRecord, "internal"},
		{activity.ErrBadTransfer, "internal"},
		{fold.ErrRange, "value_out_of_range"},
		{fold.ErrTooManyValues, "too_many_values"},
		{query.ErrRuleNotFound, "rule_not_found"},
		{query.ErrWalletNotFound, "wallet_not_found"},
		{query.ErrBadPeriod, "bad_period"},
		{query.ErrPeriodGone, "period_gone"},
		{query.ErrNotRanked, "not_ranked"},
		{query.ErrUserNotFound, "user_not_found"},
		{query.ErrUserMerged, "user_merged"},
		{query.ErrBadView, "bad_view"},
		{query.ErrBadParam, "bad_request"},
		{query.ErrBadCursor, "bad_cursor"},
		{query.ErrSealed, "sealed"},
		{query.ErrBehind, "behind"},
		{ranking.ErrLoading, "loading"},
		{ranking.ErrEpochChanged, "epoch_changed"},
		{ranking.ErrBadRevision, "bad_revision"},
		{catalog.ErrRange, "value_out_of_range"},
		{calendar.ErrBadLabel, "bad_period"},
		{calendar.ErrBadInstant, "bad_time"},
		{feed.ErrTrimmed, "loading"},
		{webhook.ErrNotFound, "definition_not_found"},
		{webhook.ErrUnsigned, "bad_signature"},
		{webhook.ErrNoSecret, "no_secret"},
		{catalog.ErrBadBody, "bad_json"},
		{store.ErrEventsGone, "events_gone"},
		{closing.ErrBadCursor, "bad_request"},
		{store.ErrTooLarge, "too_large"},
		{store.ErrVerify, "unavailable"},
		{store.ErrUnavailable, "unavailable"},
		{store.ErrNothingStored, "unavailable"}, // of a start, as the next
		{store.ErrInUse, "unavailable"},
		{context.Canceled, "unavailable"},
		{context.DeadlineExceeded, "unavailable"},
	}
}

// problems turns errors into problem documents.
type problems struct {
	codes   map[string]codeInfo
	answers []answer
}

func newProblems() *problems { return &problems{codes: codes(), answers: answers()} }

// of returns the problem document of an error. What no table knows is "internal", and its text stays here.
func (p *problems) of(err error) *problem {
	var midway *partial
	if errors.As(err, &midway) {
		doc := p.of(midway.err)
		midway.extend(doc)
		return doc
	}
	var alone *refusal
	if errors.As(err, &alone) {
		return p.ofItem(alone.item)
	}
	var f *fault
	if errors.As(err, &f) {
		return p.build(f)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return p.build(&fault{code: "too_large", detail: "The body is over 8 MiB."})
	}
	var spec *auth.SpecError
	if errors.As(err, &spec) {
		return p.build(badRequest(spec.Field, spec.Error()+"."))
	}
	var unmapped *catalog.MapError
	if errors.As(err, &unmapped) {
		return p.build(&fault{code: "hook_unmapped", field: unmapped.Field, detail: unmapped.Detail})
	}
	var param *query.ParamError
	if errors.As(err, &param) {
		return p.build(badRequest(param.Field, param.Detail))
	}
	for _, a := range p.answers {
		if errors.Is(err, a.err) {
			return p.build(&fault{code: a.code, detail: cmp.Or(query.Detail(err), ingest.Detail(err))})
		}
	}
	return p.build(&fault{code: "internal"})
}

// ofItem is the problem of an item that came alone.
func (p *problems) ofItem(e *ingest.ItemError) *problem {
	doc := p.build(&fault{code: e.Code, detail: e.Detail, field: e.Field})
	switch e.Code {
	case "bad_json", "id_conflict", "too_large":
	default:
		doc.Status = http.StatusUnprocessableEntity
	}
	return doc
}

func (p *problems) build(f *fault) *problem {
	info, ok := p.codes[f.code]
	if !ok {
		info = codeInfo{status: http.StatusUnprocessableEntity, title: "The activity was refused"}
	}
	return &problem{Type: "urn:laurel:problem:" + f.code, Title: info.title, Status: info.status, Detail: f.detail, Code: f.code,
		Field: f.field, Errors: f.errors, retry: info.retry}
}
