package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// outcome is what a command found out.
type outcome interface {
	Print(out io.Writer) error
	Identity() (date, commit string)
	Met() bool
}

// output says what becomes of an outcome.
type output struct {
	Out   string `type:"path" placeholder:"FILE" help:"Where the result goes (bench/results/DATE-COMMIT.json of the module)."`
	JSON  bool   `name:"json" help:"Print the result as JSON instead of a table."`
	Check bool   `help:"Fail if a bar is missed. Without it a missed bar is a result as any other."`

	suffix string // of the file's name: what was measured, "" for the whole server
}

// record writes the file and prints.
func (o *output) record(root string, result outcome) error {
	file := o.Out
	if file == "" {
		file = recordPath(root, result, o.suffix)
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if o.JSON {
		_, err = os.Stdout.Write(text)
	} else {
		err = result.Print(os.Stdout)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "recorded in", file)
	if o.Check && !result.Met() {
		return errMissed
	}
	return nil
}
