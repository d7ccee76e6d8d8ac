package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// object is what the AsyncAPI 3.0 specification (https://www.asyncapi.com/docs/reference/specification/v3.0.0) lets an object have, as far as the document
// goes: fields by name, each with the kind of its value ("" for a plain one); those with ! are required. each is the kind of every member of a map or a list.
type object struct {
	fields map[string]string
	each   string
	// only: the object is always a reference to something below this.
	only string
}

func grammar() map[string]object {
	return map[string]object{
		"document": {fields: map[string]string{"asyncapi!": "", "id": "", "info!": "info", "defaultContentType": "", "servers": "servers", "channels": "channels",
			"operations": "operations", "components": "components"}},
		"info":            {fields: map[string]string{"title!": "", "version!": "", "description": "", "termsOfService": "", "contact": "", "license": "license", "tags": "", "externalDocs": ""}},
		"license":         {fields: map[string]string{"name!": "", "url": ""}},
		"servers":         {each: "server"},
		"server":          {fields: map[string]string{"host!": "", "protocol!": "", "protocolVersion": "", "pathname": "", "title": "", "summary": "", "description": "", "variables": "variables", "security": "security", "bindings": ""}},
		"variables":       {each: "variable"},
		"variable":        {fields: map[string]string{"enum": "", "default": "", "description": "", "examples": ""}},
		"security":        {each: "scheme reference"},
		"channels":        {each: "channel"},
		"channel":         {fields: map[string]string{"address!": "", "messages!": "message references", "title": "", "summary": "", "description": "", "servers": "server references", "parameters": "", "tags": "", "bindings": "bindings"}},
		"operations":      {each: "operation"},
		"operation":       {fields: map[string]string{"action!": "", "channel!": "channel reference", "title": "", "summary": "", "description": "", "security": "security", "bindings": "bindings", "traits": "", "messages!": "channel messages", "reply": "reply"}},
		"reply":           {fields: map[string]string{"address": "", "channel!": "channel reference", "messages!": "channel messages"}},
		"bindings":        {fields: map[string]string{"ws": "ws binding", "http": "http binding"}},
		"ws binding":      {fields: map[string]string{"method": "", "query": "schema", "headers": "schema", "bindingVersion!": ""}},
		"http binding":    {fields: map[string]string{"method": "", "query": "schema", "bindingVersion!": ""}},
		"components":      {fields: map[string]string{"schemas": "schemas", "messages": "messages", "securitySchemes": "schemes"}},
		"messages":        {each: "message"},
		"message":         {fields: map[string]string{"name!": "", "title!": "", "summary": "", "description": "", "contentType": "", "payload!": "schema", "headers": "schema", "examples!": "examples", "bindings": "bindings"}},
		"examples":        {each: "example"},
		"example":         {fields: map[string]string{"name!": "", "summary": "", "payload!": "", "headers": ""}},
		"schemes":         {each: "scheme"},
		"scheme":          {fields: map[string]string{"type!": "", "description": "", "name": "", "in": "", "scheme": "", "bearerFormat": ""}},
		"schemas":         {each: "schema"},
		"properties":      {each: "schema"},
		"several schemas": {each: "schema"},
		"schema": {fields: map[string]string{"title": "", "type": "", "description": "", "const": "", "enum": "", "default": "", "minimum": "", "maximum": "", "minLength": "", "maxLength": "", "pattern": "",
			"minItems": "", "maxItems": "", "items": "schema", "required": "", "properties": "properties", "additionalProperties": "", "oneOf": "several schemas", "$ref": ""}},

		"scheme reference":   {only: "#/components/securitySchemes/"},
		"server references":  {each: "server reference"},
		"server reference":   {only: "#/servers/"},
		"channel reference":  {only: "#/channels/"},
		"message references": {each: "message reference"},
		"message reference":  {only: "#/components/messages/"},
		"channel messages":   {each: "channel message"},
		"channel message":    {only: "#/channels/"},
	}
}

// checker walks the document.
type checker struct {
	t       *testing.T
	doc     map[string]any
	grammar map[string]object
	used    map[string]bool // what references lead to
}

var key = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (c *checker) check(at, kind string, node any) {
	o, known := c.grammar[kind]
	if !known {
		c.t.Fatalf("%s: no such kind as %s", at, kind)
	}
	members, isMap := node.(map[string]any)
	if list, ok := node.([]any); ok && o.each != "" {
		for i, child := range list {
			c.check(fmt.Sprintf("%s[%d]", at, i), o.each, child)
		}
		return
	}
	if !isMap {
		c.t.Errorf("%s is no %s", at, kind)
		return
	}
	ref, isRef := members["$ref"].(string)
	if isRef && (len(members) > 1 || !c.resolves(ref)) {
		c.t.Errorf("%s: %s leads nowhere, or has members beside it, which are ignored", at, ref)
	}
	c.used[ref] = true
	if (o.only != "") != isRef && kind != "schema" || !strings.HasPrefix(ref, o.only) {
		c.t.Errorf("%s is a %s, and refers to %q", at, kind, ref)
	}
	for name, child := range members {
		inner, allowed := o.fields[name]
		if must, ok := o.fields[name+"!"]; ok {
			inner, allowed = must, true
		}
		switch {
		case o.each != "":
			if kind != "properties" && !key.MatchString(name) {
				c.t.Errorf("%s: the name %q", at, name)
			}
			c.check(at+"/"+name, o.each, child)
		case !allowed && o.only == "":
			c.t.Errorf("%s: a %s has no %s", at, kind, name)
		case inner != "":
			c.check(at+"/"+name, inner, child)
		}
	}
	for name := range o.fields {
		if must, ok := strings.CutSuffix(name, "!"); ok && members[must] == nil {
			c.t.Errorf("%s: a %s without %s", at, kind, must)
		}
	}
}

func (c *checker) resolves(ref string) bool {
	path, ok := strings.CutPrefix(ref, "#/")
	var node any = c.doc
	for name := range strings.SplitSeq(path, "/") {
		members, _ := node.(map[string]any)
		if node, ok = members[name]; !ok {
			return false
		}
	}
	return ok
}

// TestAsyncAPI_IsWellFormed checks the document against the specification: what objects have, that references lead somewhere, and that what is described is used.
// What it says is true is shown by the tests of cmd/laurel, which hold a server against it.
func TestAsyncAPI_IsWellFormed(t *testing.T) {
	c := checker{t: t, grammar: grammar(), used: map[string]bool{}}
	if err := yaml.Unmarshal(AsyncAPI, &c.doc); err != nil {
		t.Fatal(err)
	}
	c.check("", "document", c.doc)
	if c.doc["asyncapi"] != "3.0.0" {
		t.Errorf("it is of version %v", c.doc["asyncapi"])
	}
	for collection, kinds := range c.doc["components"].(map[string]any) {
		for name := range kinds.(map[string]any) {
			if !c.used["#/components/"+collection+"/"+name] {
				t.Errorf("%s %s is used nowhere", collection, name)
			}
		}
	}
	for name, channel := range c.doc["channels"].(map[string]any) {
		for message := range channel.(map[string]any)["messages"].(map[string]any) {
			if !c.used["#/channels/"+name+"/messages/"+message] {
				t.Errorf("channel %s: no operation has the message %s", name, message)
			}
		}
	}
}

// TestAsyncAPI_Operations: the messages of an operation, and of its reply, are those of its channel.
func TestAsyncAPI_Operations(t *testing.T) {
	var doc struct {
		Operations map[string]operation `yaml:"operations"`
	}
	if err := yaml.Unmarshal(AsyncAPI, &doc); err != nil {
		t.Fatal(err)
	}
	for name, o := range doc.Operations {
		if !slices.Contains([]string{"send", "receive"}, o.Action) || o.Reply != nil && o.Action != "receive" {
			t.Errorf("%s: action %s", name, o.Action)
		}
		for _, side := range []*operation{&o, o.Reply} {
			if side == nil {
				continue
			}
			for _, m := range side.Messages {
				if !strings.HasPrefix(m.Ref, side.Channel.Ref+"/messages/") {
					t.Errorf("%s: %s is no message of its channel", name, m.Ref)
				}
			}
		}
	}
}

type operation struct {
	Action   string      `yaml:"action"`
	Channel  reference   `yaml:"channel"`
	Messages []reference `yaml:"messages"`
	Reply    *operation  `yaml:"reply"`
}

type reference struct {
	Ref string `yaml:"$ref"`
}
