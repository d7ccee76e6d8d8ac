package api

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/query"
	"laurel/internal/rewards"
)

// activityWire is an activity as recorded.
type activityWire struct {
	ID       activity.ID    `json:"id" example:"c1"`
	User     activity.User  `json:"user" example:"ada"`
	Kind     string         `json:"kind" enum:"behaviour,point,coupon,gift,bounty,credit"`
	Name     string         `json:"name" example:"commit"`
	Value    *plain         `json:"value,omitempty"`
	Meta     jsontext.Value `json:"meta,omitempty"`
	At       string         `json:"at" format:"date-time" example:"2026-11-21T19:40:00.000Z"`
	Offset   string         `json:"utc_offset,omitempty" doc:"The offset that at was written with; absent where the time was left out" example:"+02:00"`
	Received string         `json:"received_at" format:"date-time"`
	Status   string         `json:"status" enum:"accepted,rejected,ignored"`
	Reason   string         `json:"reason,omitempty" doc:"Why it is ignored or was rejected"`
	Decided  *decidedWire   `json:"decided,omitempty" doc:"What was decided when it arrived; absent for nothing"`
}

// decidedWire is what was decided with an activity.
type decidedWire struct {
	Rows    []decidedRow `json:"rows,omitempty" doc:"Of the user's wallets"`
	Rewards []string     `json:"rewards,omitempty" doc:"That are granted to the user"`
	Given   *toOtherWire `json:"given,omitempty" doc:"What the user that meta.to names gets"`
}

type toOtherWire struct {
	Rows    []decidedRow `json:"rows,omitempty"`
	Rewards []string     `json:"rewards,omitempty"`
}

func wireDecided(d *activity.Decided) *decidedWire {
	if d == nil {
		return nil
	}
	out := &decidedWire{Rows: wireRows(d.Own.Rows), Rewards: d.Own.Rewards}
	if !d.Other.IsZero() {
		out.Given = &toOtherWire{wireRows(d.Other.Rows), d.Other.Rewards}
	}
	return out
}

func wireRows(rows []activity.Row) (out []decidedRow) {
	for _, row := range rows {
		amount := query.Score{Scaled: row.Amount, Decimals: int(row.Decimals)}.AppendJSON(nil)
		out = append(out, decidedRow{Wallet: row.Wallet, Type: rewards.RowType(row.Type).String(), Amount: amount})
	}
	return out
}

// plain is a number that is written without an exponent, as all numbers of the API are.
type plain float64

// MarshalJSONTo implements json.MarshalerTo.
func (p plain) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(strconv.AppendFloat(nil, float64(p), 'f', -1, 64))
}

func wireActivity(a *activity.Activity) *activityWire {
	out := &activityWire{ID: a.ID, User: a.User, Kind: a.Kind.String(), Name: a.Name, Meta: a.Meta, At: a.At.String(),
		Received: a.Received.String(), Status: a.Status.String(), Reason: a.Reason, Decided: wireDecided(a.Decided)}
	if a.HasValue {
		value := plain(a.Value)
		out.Value = &value
	}
	if a.AtGiven {
		out.Offset = formatOffset(int(a.Offset))
	}
	return out
}

func formatOffset(minutes int) string {
	return time.Time{}.In(time.FixedZone("", minutes*60)).Format("-07:00")
}

// stamp is an instant on the wire, nil for 0.
func stamp(i calendar.Instant) *string {
	if i == 0 {
		return nil
	}
	s := i.String()
	return &s
}

// batchResult writes the answer to a batch by itself: it is the answer of the hottest route.
type batchResult struct {
	report *ingest.Report
	all    bool // results for accepted items too
}

// AppendJSON appends the answer as a JSON object.
func (r batchResult) AppendJSON(b []byte) []byte {
	b = appendCount(b, `{"accepted":`, r.report.Accepted)
	b = appendCount(b, `,"duplicates":`, r.report.Duplicates)
	b = appendCount(b, `,"rejected":`, r.report.Rejected)
	b = appendCount(b, `,"ignored":`, r.report.Ignored)
	b = appendText(b, `,"durability":`, string(r.report.Durability))
	b = appendText(b, `,"revision":`, r.report.Revision)
	b = append(b, `,"results":`...)
	return append(r.appendResults(b), '}')
}

// appendResults appends the outcomes that are known and worth telling.
func (r batchResult) appendResults(b []byte) []byte {
	b = append(b, '[')
	first := true
	for i := range r.report.Outcomes {
		o := &r.report.Outcomes[i]
		if o.Status == "" || o.Status == "accepted" && !r.all && len(o.ClosedFor) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendCount(b, `{"index":`, i)
		if o.ID != "" {
			b = appendText(b, `,"id":`, string(o.ID))
		}
		b = appendText(b, `,"status":`, o.Status)
		if o.Err != nil {
			b = appendItemError(b, o.Err)
		}
		if len(o.ClosedFor) > 0 {
			b = appendClosedFor(b, o.ClosedFor)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendClosedFor(b []byte, periods []progress.Unreached) []byte {
	b = append(b, `,"closed_for":[`...)
	for i, p := range periods {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"rule":`, p.Rule)
		b = append(appendText(b, `,"label":`, p.Label), '}')
	}
	return append(b, ']')
}

func appendItemError(b []byte, e *ingest.ItemError) []byte {
	b = appendText(b, `,"error":{"code":`, e.Code)
	b = appendText(b, `,"detail":`, e.Detail)
	if e.Field != "" {
		b = appendText(b, `,"field":`, e.Field)
	}
	return append(b, '}')
}

func appendCount(b []byte, name string, n int) []byte {
	return strconv.AppendInt(append(b, name...), int64(n), 10)
}

func appendText(b []byte, name, text string) []byte {
	b, _ = jsontext.AppendQuote(append(b, name...), text) // what is not UTF-8 is replaced
	return b
}

func itoa(n int) string { return strconv.Itoa(n) }
