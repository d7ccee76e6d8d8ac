//go:build race

package main

// replayPart is how many activities of each history are sent shuffled. The race detector makes folding whole logs many times as slow; `make test` sends
// everything in a run without it.
const replayPart = 2000
