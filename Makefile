# make demo sets everything up and runs the demo; make test sets everything up and runs
# all tests. Both need only Go, git and make.

export CGO_ENABLED = 0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# -buildvcs=false: a clone that belongs to somebody else must build too.
GOBUILD := go build -buildvcs=false -trimpath -ldflags "-s -w -X main.release=$(VERSION)"
PLATFORMS := amd64 arm64

.PHONY: help build demo test dist bench picture lint fmt clean

help:
	@echo 'make demo     set everything up and run the demo (ARGS=... for its flags)'
	@echo 'make test     set everything up and run all tests'
	@echo 'make build    bin/cytorun, one static file'
	@echo 'make dist     the same for other machines, in dist/'
	@echo 'make bench    measure the numbers to reach'
	@echo 'make picture  docs/picture.svg, of the running program (KEYS=... pressed before)'
	@echo 'make lint     gofmt, go vet, staticcheck, import direction'
	@echo 'make fmt      format the code'
	@echo 'make clean    remove bin/ and dist/'

build:
	$(GOBUILD) -o bin/cytorun ./cmd/cytorun

demo: build
	@scripts/demo $(ARGS)

test:
	@scripts/test

dist:
	rm -rf dist && mkdir dist
	set -e; for arch in $(PLATFORMS); do \
	  GOOS=linux GOARCH=$$arch $(GOBUILD) -o dist/cytorun-linux-$$arch ./cmd/cytorun; \
	done
	cd dist && sha256sum cytorun-* >SHA256SUMS
	@ls -l dist

bench: build
	@scripts/bench

picture: build
	@scripts/take-picture $(KEYS)

lint:
	@scripts/lint

fmt:
	gofmt -w .

clean:
	rm -rf bin dist
