// Package webhook sends events of an org to URLs that its catalog names, signed as Standard Webhooks (https://www.standardwebhooks.com) says, and verifies what
// others sign so.
//
// Events come from the outbox, by the reader that GET /v1/events has. A webhook has a document in the store with a cursor and a lease: the node that holds the
// lease sends, and commits the cursor when a page of events has arrived. Every such commit names the document's version, so a node that lost the lease cannot
// move the cursor.
//
// # Guarantees
//
//   - At least once: each event of a wanted type that was committed after the webhook was published arrives, unless the outbox was trimmed past the cursor
//     meanwhile, which is counted, or the webhook is removed. What a crash comes between is sent again, under the same id.
//   - In order by user: an event is sent when those before it of the same user have arrived. Events of different users are sent side by side.
//   - An event that a receiver does not take holds up those behind it. After 5 days without any success the webhook is disabled, as it is at once by a 410;
//     nothing is dropped then: whoever enables it again gets the rest, as far as it is kept.
//   - One node at a time, as far as clocks agree: a request begins only while the lease lasts for longer than a request may. A lease lapses after a minute, and is
//     given back by a node that stops.
//   - Bounded: a page of events and a few connections a webhook, and so many requests at once a node. Pages are not kept over a pause: what is erased from the
//     outbox meanwhile is not sent. A slow receiver holds up nobody else's events.
//
// Targets are resolved once and checked when dialled: addresses that are not public are refused unless Options.AllowPrivate. Redirects are not followed, nor
// proxies of the environment used, and of an answer nothing is kept but its status.
package webhook
