// Package deployment has no code of its own: its test runs several real laurel processes on one Redis server and drives them over HTTP and WebSocket
// only, as a client that knows the documentation would, while things go wrong. In the end, and after each fault, every board on every node must equal
// a naive model's (internal/oracle), and every live view the board.
//
// The client is a load balancer without health checks: it sends each request to a node chosen at random, and to another one when that does not answer. So
// every write is sent until the answer is definite, and repetitions reach other nodes than the first try.
package deployment
