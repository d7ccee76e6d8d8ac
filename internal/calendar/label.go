package calendar

import (
	"strconv"
	"strings"
	"time"
)

// Label returns the name of a period: "2026-11-21", "2026-W47", "2026-11", "2026-Q4", "2026", "all", every N days its first date
// as in "14d-2026-11-21", and for listed periods their own ids.
//
// Week 1 is the week that holds 4 January, whatever day the week starts on; the year of a week follows from that and may
// differ from the year of some of its dates.
func (c *Calendar) Label(cy Cycle, o Ordinal) string {
	switch cy.Unit {
	case All:
		return All.String()
	case Listed:
		return cy.Windows[o].ID
	}
	var buf [32]byte
	b := buf[:0]
	first, _ := c.Dates(cy, o)
	year, month, _ := first.Civil()
	switch cy.Unit {
	case Day:
		b = first.appendFormat(b)
	case Week:
		year, week := weekOf(first)
		b = append(appendPadded(b, year, 4), "-W"...)
		b = appendPadded(b, week, 2)
	case Month:
		b = append(appendPadded(b, year, 4), '-')
		b = appendPadded(b, int(month), 2)
	case Quarter:
		b = append(appendPadded(b, year, 4), "-Q"...)
		b = appendPadded(b, (int(month)+2)/3, 1)
	case Year:
		b = appendPadded(b, year, 4)
	case Days:
		b = append(strconv.AppendInt(b, int64(cy.N), 10), "d-"...)
		b = first.appendFormat(b)
	}
	return string(b)
}

// weekOf returns the year and number of the week that begins at first. That is week 1 if it holds 4 January, so if its
// fourth date is one of 1 to 7 January: the fourth date decides.
func weekOf(first Date) (year, week int) {
	fourth := (first + 3).midnight()
	return fourth.Year(), (fourth.YearDay()-1)/7 + 1
}

// ParseLabel is the strict inverse of Label, for the years 0001 to 9999. What Label never writes, and a period that the
// zone skipped, is ErrBadLabel.
func (c *Calendar) ParseLabel(cy Cycle, label string) (Ordinal, error) {
	o, ok := c.parseLabel(cy, label)
	if !ok {
		return 0, ErrBadLabel
	}
	return o, nil
}

func (c *Calendar) parseLabel(cy Cycle, label string) (o Ordinal, ok bool) {
	switch cy.Unit {
	case All:
		return 0, label == All.String()
	case Listed:
		for n := range cy.Windows {
			if cy.Windows[n].ID == label {
				return Ordinal(n), true
			}
		}
		return 0, false
	}
	d, ok := c.dateInLabel(cy, label)
	if !ok {
		return 0, false
	}
	o = c.OrdinalOf(cy, d)
	// Writing it again refuses week 53 of a year with 52 weeks, and a date that begins none of the periods of N days.
	return o, c.Label(cy, o) == label && c.exists(cy, o)
}

// dateInLabel returns a date of the period that the label names, if it has the cycle's form.
func (c *Calendar) dateInLabel(cy Cycle, label string) (Date, bool) {
	switch cy.Unit {
	case Day:
		return parseDate(label)
	case Week:
		year, week, ok := cutYear(label, "-W", 2)
		if !ok || week < 1 || week > 53 {
			return 0, false
		}
		return DateOf(year, 1, 4+(week-1)*7), true
	case Month:
		return parseDate(label + "-01")
	case Quarter:
		year, quarter, ok := cutYear(label, "-Q", 1)
		if !ok || quarter < 1 || quarter > 4 {
			return 0, false
		}
		return DateOf(year, time.Month(3*quarter), 1), true
	case Year:
		return parseDate(label + "-01-01")
	case Days:
		first, ok := strings.CutPrefix(label, cy.String()+"-")
		if !ok {
			return 0, false
		}
		return parseDate(first)
	}
	return 0, false
}

// cutYear reads "YYYY", the separator, and a number of exactly width digits.
func cutYear(s, separator string, width int) (year, number int, ok bool) {
	if len(s) != 4+len(separator)+width || s[4:4+len(separator)] != separator {
		return 0, 0, false
	}
	year, number = digits(s[:4]), digits(s[4+len(separator):])
	return year, number, year > 0 && number >= 0
}

// LabelForms says in words which labels the cycle has, for error messages. The example is the label at now.
func (c *Calendar) LabelForms(cy Cycle, now Instant) string {
	form := ""
	switch cy.Unit {
	case Day:
		form = "YYYY-MM-DD"
	case Week:
		form = "YYYY-Www"
	case Month:
		form = "YYYY-MM"
	case Quarter:
		form = "YYYY-Qn"
	case Year:
		form = "YYYY"
	case All:
		return "all"
	case Days:
		form = cy.String() + "-YYYY-MM-DD with the first date of a period,"
	default:
		return listedForms(cy.Windows)
	}
	o, _ := c.OrdinalAt(cy, now) // there is one at any time: only listed periods leave gaps
	return form + " such as " + c.Label(cy, o)
}

// listedForms names the listed periods, the newest ones where there are many.
func listedForms(windows []Window) string {
	const most = 8
	var ids []string
	for _, w := range windows[max(0, len(windows)-most):] {
		ids = append(ids, w.ID)
	}
	if len(windows) > most {
		return "a listed period, of which the last are " + strings.Join(ids, ", ")
	}
	return "one of " + strings.Join(ids, ", ")
}
