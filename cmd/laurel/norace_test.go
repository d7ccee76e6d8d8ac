//go:build !race

package main

import "math"

// replayPart is how many activities of each history are sent shuffled: all.
const replayPart = math.MaxInt
