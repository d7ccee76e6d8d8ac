//go:build race

package main

// buildFlags make the server from the packages that the other tests have compiled already.
const buildFlags = "-race"
