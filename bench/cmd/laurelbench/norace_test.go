//go:build !race

package main

// buildFlags make the programs of the test from the packages that the other tests have compiled already.
const buildFlags = ""
