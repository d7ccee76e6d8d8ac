package returning

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/internal/query"
	"laurel/internal/rewards"
)

// Bounds of reads of days and pages.
const (
	maxDays  = 90
	someDays = 30
	maxPage  = 500
	somePage = 50
)

func isEarning(row *progress.WalletRow) bool { return row.Type == rewards.Earn }

// StatsRequest asks for the days of one user.
type StatsRequest struct {
	Identifier     string `json:"identifier"`
	IdentifierType string `json:"identifier_type,omitempty" doc:"email, id, username, external_id; left out: an id or an e-mail address"`
	Days           int    `json:"days,omitempty" minimum:"1" maximum:"90" doc:"How many, today's the last; 30 where left out"`
}

// DateRange is the dates that an answer is about, both included. Dates are the user's local ones.
type DateRange struct {
	StartDate string `json:"start_date"`
	EndDate   string `json:"end_date"`
}

// Actions counts what was done.
type Actions struct {
	Messages int `json:"messages"`
	Replies  int `json:"replies"`
	Reaction int `json:"reaction"`
	Socials  int `json:"socials"`
}

// ActionDay is one day's.
type ActionDay struct {
	Date string `json:"date"`
	Actions
}

// StatsAnswer is how often a user did what, by day.
type StatsAnswer struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
	Data    struct {
		UserID     string      `json:"user_id"`
		Range      DateRange   `json:"range"`
		Totals     Actions     `json:"totals"`
		DailyStats []ActionDay `json:"daily_stats" nullable:"false" doc:"Newest first"`
	} `json:"data"`
}

// statsFetched is the text of that shape.
const statsFetched = "User gamification stats fetched successfully"

// Stats counts, by day, the activities that the rules of doors.returning.counters select.
func (d *Door) Stats(ctx context.Context, org activity.Org, r *StatsRequest) (*StatsAnswer, error) {
	p, err := d.identified(ctx, org, r.Identifier, r.IdentifierType)
	if err != nil {
		return nil, err
	}
	ledger, err := d.Reads.Ledger(ctx, p)
	if err != nil {
		return nil, err
	}
	days := daysOf(p, &query.Ledger{Rows: make([][]progress.WalletRow, 2), Since: ledger.Since})
	first, last, err := days.lastDays(r.Days)
	if err != nil {
		return nil, err
	}
	counts := count(p, ledger.Records, days.calendar)
	answer := &StatsAnswer{Status: success, Message: statsFetched}
	answer.Data.UserID, answer.Data.Range = string(p.User), DateRange{first.String(), last.String()}
	for date := last; date >= first; date-- {
		n := counts[date]
		answer.Data.DailyStats = append(answer.Data.DailyStats, ActionDay{date.String(), n})
		answer.Data.Totals.add(n)
	}
	return answer, nil
}

func (a *Actions) add(n Actions) {
	a.Messages += n.Messages
	a.Replies += n.Replies
	a.Reaction += n.Reaction
	a.Socials += n.Socials
}

// actions are the counters of the catalog that the shape has, by its name for what they count.
func actions() map[string]string {
	return map[string]string{"messages": "totalMessages", "replies": "replySent", "reaction": "totalReactions", "socials": "socials", "visits": "visitCount"}
}

// count counts the activities that each counter's rule selects, by local date.
func count(p *query.Person, records []activity.Activity, cal *calendar.Calendar) map[calendar.Date]Actions {
	counts := map[calendar.Date]Actions{}
	var in catalog.Input
	for i := range records {
		if !records[i].Counts() {
			continue
		}
		in.Reset(p.Catalog, &records[i])
		one := Actions{}
		for action, to := range map[string]*int{"messages": &one.Messages, "replies": &one.Replies, "reaction": &one.Reaction, "socials": &one.Socials} {
			if rule := p.Catalog.Doors.Returning.Counters[actions()[action]]; rule != nil {
				if _, matches, err := rule.Eval(&in); matches && err == nil {
					*to = 1
				}
			}
		}
		date := cal.DateAt(records[i].At)
		sum := counts[date]
		sum.add(one)
		counts[date] = sum
	}
	return counts
}

// lastDays are the dates of the last n days, of which none is before what is known whole. *query.ParamError.
func (d *days) lastDays(n int) (first, last calendar.Date, err error) {
	if n == 0 {
		n = someDays
	}
	if n < 1 || n > maxDays {
		return 0, 0, &query.ParamError{Field: "days", Detail: "days must be from 1 to " + strconv.Itoa(maxDays) + "."}
	}
	last = d.today()
	return min(max(last-calendar.Date(n)+1, d.known), last), last, nil
}

// Points are what was earned.
type Points struct {
	Coins Number `json:"coins"`
	XP    Number `json:"xp"`
}

// PointDay is one day's.
type PointDay struct {
	Date string `json:"date"`
	Points
}

// HistoryAnswer is what a user earned, by day.
type HistoryAnswer struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
	Data    struct {
		UserID     string     `json:"user_id"`
		Range      DateRange  `json:"range"`
		Totals     Points     `json:"totals"`
		DailyStats []PointDay `json:"daily_stats" nullable:"false" doc:"Newest first"`
	} `json:"data"`
}

// History sums up, by day, what a user earned in the wallets of the door.
func (d *Door) History(ctx context.Context, org activity.Org, r *StatsRequest) (*HistoryAnswer, error) {
	p, days, err := d.earnings(ctx, org, r.Identifier, r.IdentifierType)
	if err != nil {
		return nil, err
	}
	first, last, err := days.lastDays(r.Days)
	if err != nil {
		return nil, err
	}
	answer := &HistoryAnswer{Status: success, Message: statsFetched}
	answer.Data.UserID, answer.Data.Range = string(p.User), DateRange{first.String(), last.String()}
	var total sums
	for date := last; date >= first; date-- {
		on := days.earned[date]
		answer.Data.DailyStats = append(answer.Data.DailyStats, PointDay{date.String(), days.points(on)})
		total.of[0] += on.of[0]
		total.of[1] += on.of[1]
	}
	answer.Data.Totals = days.points(total)
	return answer, nil
}

func (d *days) points(s sums) Points {
	return Points{XP: d.amount(0, s.of[0]), Coins: d.amount(1, s.of[1])}
}

func (d *Door) earnings(ctx context.Context, org activity.Org, identifier, sort string) (*query.Person, *days, error) {
	p, err := d.identified(ctx, org, identifier, sort)
	if err != nil {
		return nil, nil, err
	}
	ledger, err := d.Reads.Ledger(ctx, p, p.Catalog.Doors.Returning.XP, p.Catalog.Doors.Returning.Coins)
	if err != nil {
		return nil, nil, err
	}
	return p, daysOf(p, ledger), nil
}

// DayRequest asks for one day of several users. Date is written as 22/12/2025.
type DayRequest struct {
	Identifier     []string `json:"identifier"`
	IdentifierType string   `json:"identifier_type,omitempty"`
	Date           string   `json:"date" example:"22/12/2025"`
	Page           int      `json:"page,omitempty"`
	Limit          int      `json:"limit,omitempty"`
}

// DayAnswer is what several users earned in a day.
type DayAnswer struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
	Data    struct {
		Date       string     `json:"date"`
		Pagination Pages      `json:"pagination"`
		Results    []DayOfOne `json:"results" nullable:"false" doc:"Of those that are known"`
	} `json:"data"`
}

// Pages says which part of a list an answer has.
type Pages struct {
	Page       int `json:"page"`
	Limit      int `json:"limit"`
	Total      int `json:"total"`
	TotalPages int `json:"total_pages"`
	Found      int `json:"found" doc:"On this page"`
}

// DayOfOne is what one user earned.
type DayOfOne struct {
	Identifier string `json:"identifier"`
	UserID     string `json:"user_id"`
	Date       string `json:"date"`
	Points
}

const (
	dayLayout = "02/01/2006"
	maxUsers  = 100
)

// Day sums up what several users earned in one day, each by the own local date. Users who are not there are left out.
func (d *Door) Day(ctx context.Context, org activity.Org, r *DayRequest) (*DayAnswer, error) {
	on, err := time.Parse(dayLayout, r.Date)
	if err != nil {
		return nil, &query.ParamError{Field: "date", Detail: "date must be written as 22/12/2025."}
	}
	if len(r.Identifier) > maxUsers {
		return nil, &query.ParamError{Field: "identifier", Detail: "At most " + strconv.Itoa(maxUsers) + " users may be asked for."}
	}
	page, err := pageOf(r.Page, r.Limit, len(r.Identifier))
	if err != nil {
		return nil, err
	}
	answer := &DayAnswer{Status: success, Message: statsFetched}
	date := calendar.DateOf(on.Year(), on.Month(), on.Day())
	for _, identifier := range r.Identifier[page.from:page.to] {
		p, days, err := d.earnings(ctx, org, identifier, r.IdentifierType)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		answer.Data.Results = append(answer.Data.Results, DayOfOne{identifier, string(p.User), r.Date, days.points(days.earned[date])})
	}
	answer.Data.Date, answer.Data.Pagination = r.Date, page.pages(len(answer.Data.Results))
	return answer, nil
}

// page is a part of a list.
type page struct{ number, limit, total, from, to int }

// pageOf is a page of a list; 0 is the first, and of the usual size. *query.ParamError.
func pageOf(number, limit, total int) (page, error) {
	p := page{number: cmp.Or(number, 1), limit: cmp.Or(limit, somePage), total: total}
	if p.number < 1 || p.number > 1_000_000 {
		return p, &query.ParamError{Field: "page", Detail: "page must be at least 1."}
	}
	if p.limit < 1 || p.limit > maxPage {
		return p, &query.ParamError{Field: "limit", Detail: "limit must be from 1 to " + strconv.Itoa(maxPage) + "."}
	}
	p.from = min((p.number-1)*p.limit, total)
	p.to = min(p.from+p.limit, total)
	return p, nil
}

func (p page) last() int { return (p.total + p.limit - 1) / p.limit }

func (p page) pages(found int) Pages {
	return Pages{Page: p.number, Limit: p.limit, Total: p.total, TotalPages: p.last(), Found: found}
}

// LogRequest asks for what moved a user's wallets.
type LogRequest struct {
	Identifier     string `json:"identifier"`
	IdentifierType string `json:"identifier_type,omitempty"`
	Page           int    `json:"page,omitempty"`
	Limit          int    `json:"limit,omitempty"`
}

// LogAnswer is a page of it, newest first.
type LogAnswer struct {
	Status  string `json:"status" enum:"success"`
	Message string `json:"message"`
	Data    struct {
		UserID     string `json:"user_id"`
		Pagination Pages  `json:"pagination"`
		Logs       []Log  `json:"logs" nullable:"false"`
	} `json:"data"`
}

// Log is one row of a wallet.
type Log struct {
	Date       string `json:"date" doc:"When it counts"`
	Currency   string `json:"currency" enum:"xp,coins"`
	Type       string `json:"type" doc:"earn, redeem, spend, refund, set, expire"`
	Amount     Number `json:"amount"`
	Source     string `json:"source,omitempty" doc:"What it comes from: award, achievement, mission, …"`
	SourceID   string `json:"source_id,omitempty"`
	ActivityID string `json:"activity_id,omitempty"`
}

// Logs lists the rows of the door's wallets.
func (d *Door) Logs(ctx context.Context, org activity.Org, r *LogRequest) (*LogAnswer, error) {
	p, err := d.identified(ctx, org, r.Identifier, r.IdentifierType)
	if err != nil {
		return nil, err
	}
	wallets := []*catalog.Wallet{p.Catalog.Doors.Returning.XP, p.Catalog.Doors.Returning.Coins}
	ledger, err := d.Reads.Ledger(ctx, p, wallets...)
	if err != nil {
		return nil, err
	}
	type row struct {
		*progress.WalletRow
		wallet int
	}
	var rows []row
	for k := range wallets {
		for i := range ledger.Rows[k] {
			rows = append(rows, row{&ledger.Rows[k][i], k})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.At, a.At) })
	page, err := pageOf(r.Page, r.Limit, len(rows))
	if err != nil {
		return nil, err
	}
	answer := &LogAnswer{Status: success, Message: "User gamification logs fetched successfully"}
	for _, row := range rows[page.from:page.to] {
		answer.Data.Logs = append(answer.Data.Logs, Log{
			Date: row.At.String(), Currency: [...]string{"xp", "coins"}[row.wallet], Type: row.Type.String(), Amount: Number{Scaled: row.Amount, Decimals: wallets[row.wallet].Decimals},
			Source: row.Kind, SourceID: row.From, ActivityID: string(row.Activity),
		})
	}
	answer.Data.UserID, answer.Data.Pagination = string(p.User), page.pages(len(answer.Data.Logs))
	return answer, nil
}
