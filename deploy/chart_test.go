package deploy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const chart = "helm/laurel"

// settings are values that operators may give, by what they are for.
var settings = map[string]string{
	"one server": `{redis: {url: "redis://redis:6379"}}`,
	"a cluster": `{redis: {url: "redis-cluster://a:6379,b:6379"}, ack: replicated, partitions: 64, replicaCount: 5, metrics: {serviceMonitor: true},
  ingress: {enabled: true, host: example.com, className: nginx, tlsSecret: tls, annotations: {a: "b"}}, tolerations: [{key: x}], nodeSelector: {disk: ssd}}`,
	"secrets and a catalog": `{redis: {existingSecret: redis}, bootstrapKey: {existingSecret: key}, catalog: "orgs:\n  - id: git\n", extraArgs: ["--ws-connections=5"],
  imagePullSecrets: [{name: pull}], podAnnotations: {a: "b"}, affinity: {nodeAffinity: {}}}`,
}

// wrong are values that must be refused before anything is installed.
var wrong = map[string]string{
	"no store":        `{}`,
	"a password":      `{redis: {url: "redis://:secret@redis:6379"}}`,
	"a typing error":  `{redis: {url: "redis://redis"}, replicas: 3}`,
	"an unknown ack":  `{redis: {url: "redis://redis"}, ack: everywhere}`,
	"a unit too many": `{redis: {url: "redis://redis"}, drain: {delay: 1m}}`,
}

// values are the chart's own with others laid over them.
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	own, over := map[string]any{}, map[string]any{}
	parse(t, "values.yaml", read(t, chart+"/values.yaml"), &own)
	parse(t, "values", text, &over)
	return merge(own, over)
}

func merge(base, over map[string]any) map[string]any {
	for k, v := range over {
		if inner, ok := v.(map[string]any); ok {
			if under, ok := base[k].(map[string]any); ok {
				v = merge(under, inner)
			}
		}
		base[k] = v
	}
	return base
}

func TestChart_SchemaTakesWhatWorksOnly(t *testing.T) {
	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(read(t, chart+"/values.schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("values", raw); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("values")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range settings {
		if err := schema.Validate(values(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range wrong {
		if schema.Validate(values(t, text)) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// render does what helm template does, as far as the chart's templates need it.
func render(t *testing.T, vals map[string]any) map[string]string {
	t.Helper()
	all := template.New("")
	all.Option("missingkey=error").Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var out bytes.Buffer
			err := all.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"nindent": func(n int, text string) string {
			pad := "\n" + strings.Repeat(" ", n)
			return pad + strings.ReplaceAll(text, "\n", pad)
		},
		"toYaml": func(v any) (string, error) {
			text, err := yaml.Marshal(v)
			return strings.TrimSuffix(string(text), "\n"), err
		},
		"quote":      func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"trunc":      func(n int, s string) string { return s[:min(n, len(s))] },
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"sha256sum":  func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) },
		"default": func(instead, v any) any {
			if v == nil || v == "" {
				return instead
			}
			return v
		},
	})
	if _, err := all.ParseGlob(chart + "/templates/*"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(chart + "/templates/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	rendered := map[string]string{}
	for _, f := range files {
		var out bytes.Buffer
		data := map[string]any{"Values": vals, "Release": map[string]any{"Name": "board"}, "Chart": map[string]any{"AppVersion": "0.1.0"}}
		if err := all.ExecuteTemplate(&out, filepath.Base(f), data); err != nil {
			t.Fatal(err)
		}
		rendered[filepath.Base(f)] = out.String()
	}
	return rendered
}

// object is what the tests look at of a Kubernetes object.
type object struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args         []string
					VolumeMounts []struct{ Name string } `yaml:"volumeMounts"`
				}
				Volumes []struct{ Name string }
			}
		}
	}
}

func TestChart_Renders(t *testing.T) {
	known := flags(t)
	kinds := map[string]int{"one server": 4, "a cluster": 6, "secrets and a catalog": 5}
	for name, text := range settings {
		vals := values(t, text)
		var found []string
		for file, text := range render(t, vals) {
			for _, doc := range strings.Split(text, "\n---\n") {
				var o object
				if parse(t, file, doc, &o); o.Kind == "" {
					continue
				}
				if found = append(found, o.Kind); o.Kind == "Deployment" {
					checkDeployment(t, name, &o, vals, known)
				}
			}
		}
		if len(found) != kinds[name] {
			t.Errorf("%s: %d objects %v, want %d", name, len(found), found, kinds[name])
		}
	}
}

func checkDeployment(t *testing.T, name string, o *object, vals map[string]any, known map[string]bool) {
	t.Helper()
	pod := o.Spec.Template.Spec
	c := pod.Containers[0]
	if len(c.VolumeMounts) != len(pod.Volumes) {
		t.Errorf("%s: %d mounts of %d volumes", name, len(c.VolumeMounts), len(pod.Volumes))
	}
	for _, arg := range c.Args[1:] {
		if flag, _, _ := strings.Cut(arg, "="); !known[flag] {
			t.Errorf("%s: laurel serve has no %s", name, arg)
		}
	}
	drain := vals["drain"].(map[string]any)
	delay, err := time.ParseDuration(drain["delay"].(string))
	timeout, err2 := time.ParseDuration(drain["timeout"].(string))
	if err != nil || err2 != nil || delay+timeout >= time.Duration(pod.Grace)*time.Second {
		t.Errorf("%s: a pod is killed after %d s, before it has drained in %v and %v", name, pod.Grace, delay, timeout)
	}
}

// TestChart_EveryValueIsUsed: one that no template reads is a promise that nobody keeps.
func TestChart_EveryValueIsUsed(t *testing.T) {
	templates := ""
	files, err := filepath.Glob(chart + "/templates/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		templates += read(t, f)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if inner, ok := v.(map[string]any); ok && len(inner) > 0 && !strings.Contains(templates, ".Values"+path+" |") {
			for k, v := range inner {
				if path+"."+k != ".resources.requests" {
					walk(path+"."+k, v)
				}
			}
			return
		}
		if !regexp.MustCompile(`\.Values` + regexp.QuoteMeta(path) + `\b`).MatchString(templates) {
			t.Errorf("no template reads %s", path)
		}
	}
	own := map[string]any{}
	parse(t, "values.yaml", read(t, chart+"/values.yaml"), &own)
	walk("", own)
}

// kubernetes is the version that helm renders for: without a release's own build it would take one of long ago.
const kubernetes = "1.30.0"

// TestChart_Helm asks helm itself, where it is installed (make tools).
func TestChart_Helm(t *testing.T) {
	helm, err := exec.LookPath("helm")
	if err != nil {
		return // TestChart_Renders does as much as it can without
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	run := func(text string, args ...string) ([]byte, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(helm, append(args, "--kube-version", kubernetes, "--values", file)...).CombinedOutput()
	}
	for name, text := range settings {
		if out, err := run(text, "lint", "--strict", chart); err != nil {
			t.Errorf("%s: lint: %v\n%s", name, err, out)
		}
		out, err := run(text, "template", "board", chart)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		sameObjects(t, name, string(out), render(t, values(t, text)))
	}
	for name, text := range wrong {
		if out, err := run(text, "template", "board", chart); err == nil {
			t.Errorf("%s is taken:\n%s", name, out)
		}
	}
}

// sameObjects says whether helm made what render made: then the tests of what render made are about what helm makes.
func sameObjects(t *testing.T, name, helm string, rendered map[string]string) {
	t.Helper()
	objects := func(text string) map[string]any {
		found := map[string]any{}
		for docs := yaml.NewDecoder(strings.NewReader(text)); ; {
			o := map[string]any{}
			switch err := docs.Decode(&o); {
			case errors.Is(err, io.EOF):
				return found
			case err != nil:
				t.Fatalf("%s: %v\n%s", name, err, text)
			case len(o) > 0:
				found[fmt.Sprint(o["kind"], " ", o["metadata"].(map[string]any)["name"])] = o
			}
		}
	}
	own := map[string]any{}
	for _, text := range rendered {
		maps.Copy(own, objects(text))
	}
	if diff := cmp.Diff(objects(helm), own); diff != "" {
		t.Errorf("%s (-helm +render)\n%s", name, diff)
	}
}
