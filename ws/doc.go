// Package ws pushes live views of leaderboards and users over WebSocket and as Server-Sent Events: the protocol of docs/PROTOCOL.md.
//
// A client subscribes to views, not to events: "the first 50 of this week", "the ten around me", "this user". It first
// gets a snapshot and from then on deltas, each from the state that it was sent last.
//
// # What it guarantees
//
//   - Live equals read: what a client holds after the messages it got is what [Source.Render] answered at some moment, whole,
//     never a mixture of two. After writes stop it is, within two ticks (or one period of the subscription's max_hz), what a
//     read answers, whatever was lost, delayed or too slow in between.
//
//   - Order: the messages of one subscription come in the order of their seq, and each delta names in prev the seq that it
//     starts from. Nothing is promised between two subscriptions, but all that one tick brings a connection comes in one
//     WebSocket message (in several once it passes 64 KiB).
//
//   - Pace: the messages of a connection's views are written at least [Options].Tick apart, and those of a subscription at least its max_hz apart, from the end of one write
//     to the beginning of the next (pace.go).
//
//   - Events come at most once, behind the delta of the tick that they belong to. They are news, not state: those that a
//     slow client misses are counted in an error message and are gone; the view beside them stays right.
//
//   - Staleness is told: while Source cannot be known to be current (Options.Age), subscribers are told that what they hold may be old, and, once it is, behind
//     what they missed, that it is fresh. Nothing else changes for them.
//
//   - Bounds: [Limits] names every one, and docs/PROTOCOL.md what happens at each.
//
//   - Whoever watches may: a connection ends with its token, and at [Hub.Recheck] with its key, and is given only views that its [Identity] allows.
//
// A crash loses nothing, as nothing here is authoritative: a client that reconnects is given a snapshot.
//
// # How it works
//
// Equal views of one org share one view. [Hub.Wake] marks what a commit touched; a tick renders the marked views once
// each, and publishes an edition of those that show something else than before. An edition encodes its snapshot and its
// deltas when the first subscriber needs them, and keeps the bytes for the others; only the subscription's id is put in
// front for each.
//
// There is no queue of messages to a client. A subscription remembers the frame it was sent last, frames being immutable and
// shared, and a mark "there is something newer". The connection's writer decides what to send when the socket takes it: the shared
// delta, a delta over several editions, or a snapshot. So a slow client costs no memory and delays nobody; it gets
// fewer, newer messages. The rejected design is a buffered channel of messages for each connection: at its limit it can only drop
// messages, which makes the client wrong, or disconnect the clients that most need patience.
//
// What may not be written yet waits in a wheel of slots in time, which costs nothing until then; subscriptions with max_hz are spread evenly over its slots.
//
// A stream of Server-Sent Events is a connection like any other, with another sink: what is sent, and when, is decided by the same writer. Its handler waits
// for the end; as http.ResponseWriter cannot take a part, what it is sent is always written by a goroutine.
//
// Board views and user views tick apart, since the first are answered from memory and the second may wait for the store: a store
// that answers slowly holds up no leaderboard.
//
// # Cost and concurrency
//
// A tick costs the views that were marked, not the subscriptions; a change of a view costs one encoding and, for each
// subscriber, one copy and one write (docs/adr/0009). The tick writes itself, on all processors, what sockets take at once; only for one that is full there is a
// goroutine, for as long as that lasts. The kernel is told to hold little that is not on its way yet, so that what a slow client reads
// is what the hub decided lately. A connection that is idle holds one goroutine, a 1 KiB read buffer and no write
// buffer. All methods of [Hub] are safe for concurrent use. Locks are taken
// in the order hub, view, connection, and none is held while rendering, encoding or writing to a socket.
package ws
