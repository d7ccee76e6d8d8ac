package calendar

import "strconv"

// String returns the word of the API: "day" to "all"; for every N days "14d"; for listed periods the list's id.
func (cy Cycle) String() string {
	switch cy.Unit {
	case Days:
		return strconv.Itoa(cy.N) + "d"
	case Listed:
		return cy.ID
	}
	return cy.Unit.String()
}

// Key returns a name that no other cycle of the org has: String, and for every N days the anchor too: "14d@2026-01-05".
func (cy Cycle) Key() string {
	if cy.Unit == Days {
		return cy.String() + "@" + cy.From.String()
	}
	return cy.String()
}

// String returns the unit's name, which for "day" to "all" is what ParseUnit reads.
func (u Unit) String() string {
	switch u {
	case Day:
		return "day"
	case Week:
		return "week"
	case Month:
		return "month"
	case Quarter:
		return "quarter"
	case Year:
		return "year"
	case All:
		return "all"
	case Days:
		return "days"
	case Listed:
		return "listed"
	}
	return "unit " + strconv.Itoa(int(u))
}

// ParseUnit reads "day", "week", "month", "quarter", "year" or "all": the units that need nothing beside their name.
func ParseUnit(s string) (Unit, bool) {
	for u := Day; u <= All; u++ {
		if s == u.String() {
			return u, true
		}
	}
	return 0, false
}
