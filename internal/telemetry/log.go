package telemetry

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// Format is how log lines are written.
type Format string

// The formats. Auto is the zero value's meaning too.
const (
	Auto    Format = "auto" // Console on a terminal, else JSON
	JSON    Format = "json"
	Console Format = "console"
)

// NewLog makes a log that writes to w what is at least as important as level ("debug", "info", "warn" or "error"; anything else
// means info). Times are UTC in milliseconds.
func NewLog(w io.Writer, format Format, level string) zerolog.Logger {
	if format == Console || (format != JSON && isTerminal(w)) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal(w) || os.Getenv("NO_COLOR") != ""}
	}
	min, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		min = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(min).Hook(stamp{})
}

// stamp adds the time to each line: zerolog's own Timestamp takes its layout from a global variable.
type stamp struct{}

// Run implements zerolog.Hook.
func (stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
