package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// protocol is the AsyncAPI document of a server, against which a test holds what the server sends. Its schemas leave room for members that a newer server
// adds; here they do not, so that a member which is sent and not described is noticed.
type protocol struct {
	t       *testing.T
	doc     map[string]any
	schemas map[string]*jsonschema.Schema // of the payloads, by message
	// shapes are those of the messages that came, by channel and message.
	shapes map[string]map[string][]string
}

func readProtocol(t *testing.T, base string) *protocol {
	t.Helper()
	_, text, header := do(t, "GET", base+"/asyncapi.yaml", "")
	if got := header.Get("Content-Type"); got != "application/yaml" {
		t.Errorf("the document is %s", got)
	}
	p := &protocol{t: t, schemas: map[string]*jsonschema.Schema{}, shapes: map[string]map[string][]string{}}
	if err := yaml.Unmarshal([]byte(text), &p.doc); err != nil {
		t.Fatal(err)
	}
	components := p.doc["components"].(map[string]any)
	closeObjects(components["schemas"])
	closeObjects(components["messages"])
	plain, err := json.Marshal(p.doc)
	if err != nil {
		t.Fatal(err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7) // that of AsyncAPI
	if err := compiler.AddResource("mem:///asyncapi.json", resource); err != nil {
		t.Fatal(err)
	}
	for name := range components["messages"].(map[string]any) {
		if p.schemas[name], err = compiler.Compile("mem:///asyncapi.json#/components/messages/" + name + "/payload"); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// closeObjects makes schemas refuse members that they do not name, unless they say that they take any.
func closeObjects(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	case map[string]any:
		if _, said := node["additionalProperties"]; !said && node["type"] == "object" {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	}
}

// at returns what stands at a path of the document.
func (p *protocol) at(path ...string) any {
	var node any = p.doc
	for _, name := range path {
		node = node.(map[string]any)[name]
	}
	return node
}

// referred are the last words of a list of references.
func referred(list any) (names []string) {
	refs, _ := list.([]any)
	for _, one := range refs {
		ref := one.(map[string]any)["$ref"].(string)
		names = append(names, ref[strings.LastIndexByte(ref, '/')+1:])
	}
	return names
}

// sent are the messages that the server sends on a channel.
func (p *protocol) sent(channel string) (names []string) {
	for _, operation := range p.at("operations").(map[string]any) {
		operation := operation.(map[string]any)
		if operation["action"] == "send" && operation["channel"].(map[string]any)["$ref"] == "#/channels/"+channel {
			names = append(names, referred(operation["messages"])...)
		}
	}
	slices.Sort(names)
	return names
}

// example is a message of the document.
type example struct {
	name    string
	payload map[string]any
}

func (p *protocol) examples(message string) (list []example) {
	for _, one := range p.at("components", "messages", message, "examples").([]any) {
		one := one.(map[string]any)
		list = append(list, example{one["name"].(string), one["payload"].(map[string]any)})
	}
	return list
}

// fits says what is wrong with a message.
func (p *protocol) fits(message string, payload any) error {
	plain, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return err
	}
	return p.schemas[message].Validate(instance)
}

// take holds a message of the server against those that it may send on the channel, and returns which one it is.
func (p *protocol) take(channel string, text []byte) (message string, payload map[string]any) {
	p.t.Helper()
	if err := json.Unmarshal(text, &payload); err != nil {
		p.t.Fatalf("%v in %s", err, text)
	}
	var fitting []string
	var faults []error
	for _, name := range p.sent(channel) {
		if p.at("components", "messages", name, "name") != payload["type"] {
			continue
		}
		if err := p.fits(name, payload); err != nil {
			faults = append(faults, err)
		} else {
			fitting = append(fitting, name)
		}
	}
	if len(fitting) != 1 {
		p.t.Fatalf("%s fits %q of the messages of %s: %v", text, fitting, channel, faults)
	}
	if p.shapes[channel] == nil {
		p.shapes[channel] = map[string][]string{}
	}
	p.shapes[channel][fitting[0]] = append(p.shapes[channel][fitting[0]], shape(payload))
	return fitting[0], payload
}

// shape is the names of all members, without the values.
func shape(payload any) string {
	paths := map[string]bool{}
	members("", payload, paths)
	return strings.Join(slices.Sorted(maps.Keys(paths)), " ")
}

func members(at string, node any, paths map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		for name, child := range node {
			paths[at+"."+name] = true
			members(at+"."+name, child, paths)
		}
	case []any:
		for _, child := range node {
			paths[at+"[]"] = true
			members(at+"[]", child, paths)
		}
	}
}

// end compares what came with what is described: every message of every channel has come, and every example has come with the same members.
func (p *protocol) end() {
	came := map[string]map[string]bool{}
	for _, channel := range []string{"socket", "stream"} {
		if diff := cmp.Diff(p.sent(channel), slices.Sorted(maps.Keys(p.shapes[channel]))); diff != "" {
			p.t.Errorf("described (-) and sent (+) on %s differ:\n%s", channel, diff)
		}
		for message, shapes := range p.shapes[channel] {
			for _, s := range shapes {
				if came[message] == nil {
					came[message] = map[string]bool{}
				}
				came[message][s] = true
			}
		}
	}
	for message, shapes := range came {
		shown := map[string]bool{}
		examples := p.examples(message)
		if len(examples) == 0 {
			p.t.Errorf("%s has no example", message)
		}
		for _, e := range examples {
			if err := p.fits(message, e.payload); err != nil {
				p.t.Errorf("%s, example %s: %v", message, e.name, err)
			}
			if !shapes[shape(e.payload)] {
				p.t.Errorf("%s, example %s: nothing with these members came:\n%s\nbut\n%s", message, e.name, shape(e.payload),
					strings.Join(slices.Sorted(maps.Keys(shapes)), "\n"))
			}
			members("", e.payload, shown)
		}
		p.exemplified(message, "", p.at("components", "messages", message, "payload"), shown)
	}
}

// exemplified finds members that a schema names and no example has, so that together with end each is known to be sent.
func (p *protocol) exemplified(message, at string, schema any, shown map[string]bool) {
	s := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		p.exemplified(message, at, p.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), shown)
		return
	}
	if items, ok := s["items"]; ok {
		p.exemplified(message, at+"[]", items, shown)
	}
	properties, _ := s["properties"].(map[string]any)
	for name, child := range properties {
		path := at + "." + name
		if !shown[path] {
			p.t.Errorf("%s: no example has %s", message, path)
		}
		p.exemplified(message, path, child, shown)
	}
}

// watched is a WebSocket, each message of which is held against the document.
type watched struct {
	*socket
	p       *protocol
	waiting []json.RawMessage
}

// open connects without a hello.
func (p *protocol) open(n *testNode, header http.Header) *watched {
	p.t.Helper()
	return &watched{socket: n.connect(header), p: p}
}

// read returns the next message, "" at the end of the connection.
func (w *watched) read() (message string, payload map[string]any) {
	w.t.Helper()
	if len(w.waiting) == 0 {
		_, text, err := w.conn.ReadMessage()
		if err != nil {
			return "", nil
		}
		if text[0] != '[' {
			text = fmt.Appendf(nil, "[%s]", text)
		}
		if err := json.Unmarshal(text, &w.waiting); err != nil {
			w.t.Fatal(err)
		}
	}
	text := w.waiting[0]
	w.waiting = w.waiting[1:]
	return w.p.take("socket", text)
}

// until reads up to a message of this name, and returns it.
func (w *watched) until(message string) map[string]any {
	w.t.Helper()
	for {
		switch got, payload := w.read(); got {
		case message:
			return payload
		case "":
			w.t.Fatalf("waiting for %s: the connection ended", message)
		}
	}
}

// untilOf reads up to a message of this name of one subscription.
func (w *watched) untilOf(id, message string) {
	w.t.Helper()
	for w.until(message)["id"] != id {
	}
}
