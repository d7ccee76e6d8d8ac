# Everything a developer does. `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PACKAGES := ./...
FUZZTIME ?= 20s
TESTFLAGS ?=
# of one package's tests: they take up to two minutes, and ten times as long on a slow machine that does other things too
TIMEOUT ?= 30m

# make tools puts programs there that tests run where they find them
export PATH := $(PATH):$(CURDIR)/bin/tools

.PHONY: web/build/checked help build ui run test tools redis node chromium lint fuzz bench cover web client e2e screenshots fps usable memory release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/laurel, with the console, live boards and widgets where npm is there
	@if ! command -v npm >/dev/null; then \
	  echo 'npm is missing: bin/laurel comes without the console, live boards and widgets, and says there how to get them.' >&2; \
	elif ! $(MAKE) --no-print-directory web/dist/app/console.html; then \
	  echo 'The console, live boards and widgets could not be built (see above): bin/laurel has the ones built before, or none.' >&2; \
	fi
	go build -trimpath -o bin/laurel ./cmd/laurel

ui: node web/dist/app/console.html ## build what goes to browsers, into web/dist

web/dist/app/console.html: web/node_modules/.package-lock.json web/package.json web/vite.config.js web/scripts/build.js $(shell find web/src web/client/src -type f -not -name '*.gen.d.ts')
	cd web && npm run -s build
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci
	@touch $@

run: build ## run a server with a live board of this repository's history
	./bin/laurel demo

test: redis node chromium ## run every test, with the race detector, and the replay of whole histories without it
	go test -race -timeout $(TIMEOUT) $(TESTFLAGS) $(PACKAGES)
	go test -run TestReplay -timeout $(TIMEOUT) $(TESTFLAGS) ./cmd/laurel
	$(MAKE) --no-print-directory client e2e

tools: ## get Valkey, promtool and helm into bin/tools, so that make test runs them too (CI does)
	@.ci/tools

# $(call install,PROGRAM,PACKAGES): installs a program that is missing, where it can
install = @command -v $(1) >/dev/null || { \
	  sudo=; if [ "$$(id -u)" != 0 ]; then sudo='sudo -n'; fi; \
	  if command -v apt-get >/dev/null && { [ -z "$$sudo" ] || $$sudo true 2>/dev/null; }; then \
	    echo '$(1) is missing: installing it'; \
	    { $$sudo apt-get update -qq && $$sudo apt-get install -qqy --no-install-recommends $(2); } >/dev/null; \
	  fi; }

redis: # the store's tests run a real server too; none of them is ever skipped
	$(call install,redis-server,redis-server)
	@command -v redis-server >/dev/null || { \
	  echo 'redis-server is missing and cannot be installed from here. Install Redis 7 (or Valkey with its redis-server name) and try again.' >&2; exit 1; }

node: # the client library is TypeScript
	$(call install,npm,nodejs npm)
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || { \
	  echo 'node (18 or later) and npm are missing and cannot be installed from here. Install them and try again.' >&2; exit 1; }

chromium: # what browsers show is looked at in one
	$(call install,chromium,chromium)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  echo 'chromium is missing and cannot be installed from here. Install it and try again.' >&2; exit 1; }

lint: ## check format, vet, staticcheck, go.mod, the import rules and, where npm is there, the types of web/
	@unformatted=$$(gofmt -l $$(go list -f '{{.Dir}}' $(PACKAGES))); \
	  if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):" >&2; echo "$$unformatted" >&2; exit 1; fi
	go vet $(PACKAGES)
	go tool staticcheck $(PACKAGES)
	go mod tidy -diff
	go test ./internal/archtest
	@! grep -n '"resolved"' web/package-lock.json web/client/package-lock.json || { echo 'the lock file names a registry: see web/client/.npmrc' >&2; exit 1; }
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web/build/checked; else echo 'npm is missing: the types of web/ are not checked here' >&2; fi

fuzz: ## run each fuzz target for FUZZTIME (20s)
	@for package in $$(go list -f '{{.Dir}}' $(PACKAGES)); do \
	  for target in $$(cat $$package/*_test.go 2>/dev/null | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p'); do \
	    echo "$$package $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s $$package; \
	  done; \
	done

bench: ## measure (see bench/README.md)
	go run ./bench/cmd/laurelbench $(BENCHFLAGS)

cover: redis ## report the coverage of the tests
	go test -timeout $(TIMEOUT) -coverprofile=coverage.out -coverpkg=$(PACKAGES) $(PACKAGES)
	go tool cover -func=coverage.out | tail -n 1

web: client ## check the live board page and the client library
	go test ./web

client: build node web/client/node_modules/.package-lock.json # built, and tested against bin/laurel
	cd web/client && npm test
	@printf 'ok  \tweb/client\n'

web/client/node_modules/.package-lock.json: web/client/package-lock.json
	cd web/client && npm ci
	@touch $@

# The types that the pages' requests are checked against come from the server's own description.
web/build/checked: build web/node_modules/.package-lock.json
	@mkdir -p web/build
	bin/laurel openapi > web/build/openapi.json
	cd web && npm run -s types >/dev/null && npm run -s check

e2e: ui web/build/checked chromium ## look at the console, live boards and widgets in a browser, against bin/laurel and a redis-server
	cd web && npm run -s unit && npm run -s e2e
	@printf 'ok  \tweb\n'

screenshots: ui web/build/checked chromium ## take pictures of every page, into web/build/screenshots
	cd web && npm run -s screenshots

fps: ui web/build/checked chromium ## measure how a board of a hundred rows with 200 moves a second is animated
	cd web && npm run -s bench

usable: ui web/build/checked chromium ## measure how soon a user's page is of use (TIMES=10)
	cd web && npm run -s usable -- $(TIMES)

memory: ui web/build/checked chromium ## measure whether a board of a hundred rows with 200 moves a second needs more and more memory (MINUTES=10)
	cd web && npm run -s memory -- $(MINUTES)

release: ui ## build dist/ for Linux and macOS, with checksums
	@rm -rf dist; mkdir -p dist
	@for os in linux darwin; do for arch in amd64 arm64; do \
	  echo "dist/laurel-$$os-$$arch"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags='-s -w' -o dist/laurel-$$os-$$arch ./cmd/laurel; \
	done; done
	@cd dist; if command -v sha256sum >/dev/null; then sha256sum laurel-*; else shasum -a 256 laurel-*; fi > SHA256SUMS

clean: ## remove what was built (data stays)
	rm -rf bin dist coverage.out web/client/dist web/client/build web/client/node_modules web/dist/app web/dist/widgets web/build web/node_modules
