package main

import (
	"io"

	"laurel/api"
)

type openAPICommand struct{}

// Run prints the document that GET /openapi.json of a server answers: what clients' types are made from needs no server then.
func (openAPICommand) Run(stdout io.Writer) error {
	doc, err := api.OpenAPI(version())
	if err != nil {
		return err
	}
	_, err = stdout.Write(append(doc, '\n'))
	return err
}
