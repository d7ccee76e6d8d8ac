//go:build linux

package live

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// server is asked over REST, and for its metrics.
type server struct{ url, admin, key string }

func (s *server) get(ctx context.Context, url string, body []byte) ([]byte, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", method, url, answer.Status, text)
	}
	return text, err
}

// metrics reads the values without labels.
func (s *server) metrics(ctx context.Context) (map[string]float64, error) {
	text, err := s.get(ctx, s.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	values := make(map[string]float64)
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = v
		}
	}
	return values, lines.Err()
}

// collect has the server collect its garbage, so that its memory is what it holds.
func (s *server) collect(ctx context.Context) error {
	_, err := s.get(ctx, s.admin+"/debug/pprof/heap?gc=1", nil)
	return err
}

// read is what a read answers where a client of the view has a state.
func (s *server) read(ctx context.Context, o *Settings, user string) (*state, error) {
	base := s.url + "/v1/leaderboards/" + o.Rule + "/" + o.Period
	var answer struct {
		Total  int   `json:"total"`
		Rows   []row `json:"rows"`
		Around []row `json:"around"`
	}
	var text []byte
	var err error
	switch o.View {
	case "top":
		text, err = s.get(ctx, fmt.Sprintf("%s?limit=%d", base, o.Limit), nil)
	case "around":
		text, err = s.get(ctx, fmt.Sprintf("%s/users/%s?around=%d", base, user, o.Span), nil)
	case "users":
		text, err = s.get(ctx, base+"/ranks", fmt.Appendf(nil, `{"users":[%q]}`, user))
	case "user":
		if text, err = s.get(ctx, s.url+"/v1/users/"+user, nil); err != nil {
			return nil, err
		}
		all, err := merged(nil, &message{User: jsontext.Value(text)})
		return &state{user: all}, err
	}
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if answer.Around != nil {
		answer.Rows = answer.Around
	}
	return &state{total: answer.Total, rows: answer.Rows}, err
}
