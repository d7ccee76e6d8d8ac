package deploy

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// stage is one FROM of the Dockerfile, with its instructions as they are, one a string.
type stage struct {
	name, base string
	steps      []string
}

func stages(t *testing.T) (all []*stage) {
	t.Helper()
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#" || strings.HasPrefix(line, "#"):
		case words[0] == "FROM":
			all = append(all, &stage{base: words[1]})
			if len(words) == 4 {
				all[len(all)-1].name = words[3]
			}
		default:
			last := all[len(all)-1]
			last.steps = append(last.steps, strings.Join(words, " "))
		}
	}
	return all
}

func (s *stage) index(step string) int {
	for i, is := range s.steps {
		if strings.HasPrefix(is, step) {
			return i
		}
	}
	return -1
}

// TestImage_IsNotRoot: nor has it a system.
func TestImage_IsNotRoot(t *testing.T) {
	all := stages(t)
	last := all[len(all)-1]
	if last.base != "scratch" || last.index("USER 65532:65532") < 0 {
		t.Errorf("the image is made from %s: %q", last.base, last.steps)
	}
}

// TestImage_HasThePages: what browsers run is built by the commands that make ui uses, and lies where the binary embeds it before that is built.
func TestImage_HasThePages(t *testing.T) {
	all := stages(t)
	if len(all) != 3 || all[0].name != "pages" || all[1].name != "build" {
		t.Fatalf("stages are %d", len(all))
	}
	pages, build := all[0], all[1]
	makefile := read(t, "../Makefile")
	at := 0
	for _, command := range []string{"npm ci", "npm run -s build"} {
		i := pages.index("RUN " + command)
		if i < at || !strings.Contains(makefile, "cd web && "+command+"\n") {
			t.Errorf("%q is step %d of the pages; make ui may do something else", command, i)
		}
		at = i
	}
	sources, copied, compiled := build.index("COPY . ."), build.index("COPY --from=pages /src/web/dist/ web/dist/"), build.index("RUN CGO_ENABLED=0 go build")
	if sources < 0 || copied < sources || compiled < copied {
		t.Errorf("sources are step %d, pages %d, the build %d", sources, copied, compiled)
	}
	if _, version, _ := strings.Cut(build.base, ":"); !strings.Contains(read(t, "../go.mod"), "\ngo "+version) {
		t.Errorf("go.mod is not of %s", build.base)
	}
}

// TestImage_CopiesWhatIsThere: neither missing, nor kept from the build by .dockerignore.
func TestImage_CopiesWhatIsThere(t *testing.T) {
	ignored := map[string]bool{}
	for line := range strings.Lines(read(t, "../.dockerignore")) {
		ignored[strings.TrimSpace(line)] = true
	}
	made := map[string]bool{"/etc/ssl/certs/ca-certificates.crt": true, "/src/web/dist/": true} // by a base, and by npm run build
	for _, s := range stages(t) {
		for _, step := range s.steps {
			for _, name := range regexp.MustCompile(`/out/\w+`).FindAllString(step, -1) {
				made[name] = made[name] || strings.HasPrefix(step, "RUN ")
			}
			words := strings.Fields(step)
			if words[0] != "COPY" {
				continue
			}
			of := words[1 : len(words)-1]
			elsewhere := strings.HasPrefix(of[0], "--from=")
			for _, source := range of {
				if strings.HasPrefix(source, "--") {
					continue
				}
				if elsewhere && !made[source] {
					t.Errorf("%s: no stage makes %s", step, source)
				}
				if _, err := os.Stat(path.Join("..", source)); !elsewhere && (err != nil || ignored[source] || ignored[path.Base(source)]) {
					t.Errorf("%s: %s is not there (%v), or left out", step, source, err)
				}
			}
		}
	}
}
