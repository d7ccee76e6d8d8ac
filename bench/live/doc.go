// Package live loads a server with clients of live views, and tells when each of them learned of each update, what it cost the server, and whether all
// of them hold in the end what a read answers. It needs Linux.
//
// Ten thousand clients share the machine with the server that they measure, so they cost next to nothing: one goroutine reads all of their
// sockets by epoll, without a goroutine, a stack or a buffer for each. Nevertheless every client is checked in full at every message. What is decoded
// once for each view and step from one seq to the next is a [state]; a client that is sent the same bytes for the same step is in the same state, and
// only a hash of its message is computed to know it.
package live
