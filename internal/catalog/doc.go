// Package catalog turns the text of a catalog into definitions that can be evaluated, or into the list of everything that is wrong with it.
//
// A source is YAML or JSON. It is checked in three passes, and none of them stops the next: the text (syntax, duplicate keys, size),
// the structure (the embedded JSON Schema, which is also the published contract), and the meaning (ids, zones, periods, expressions).
// What one pass found faulty is taken out before the next, so that no fault is told twice. Every fault names its line and path.
//
// Expressions are a subset of expr-lang's language without loops, clocks and conversions: an evaluation ends after at most as many steps as
// the expression has nodes. All numbers in them are float64; a whole number within ±2^53 is exact.
//
// A Catalog is immutable and safe for concurrent use; an Input belongs to one goroutine. The package is pure: no clock, no I/O beyond the
// time zone database.
package catalog
