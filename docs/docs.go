// Package docs holds the documents that a server gives out as they are.
package docs

import _ "embed" // the document

// AsyncAPI describes the live protocol (WebSocket and Server-Sent Events) for programs, as docs/PROTOCOL.md does for people: AsyncAPI 3.0 in YAML.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte
