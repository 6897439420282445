# SPDX-License-Identifier: Apache-2.0

PREFIX    ?= $(HOME)/.local
KREW_ROOT ?= $(CURDIR)/bin/krew-root
SCRIPT    ?=
BENCH     ?= .
COUNT     ?= 6
BASE      ?=
FUZZTIME  ?= 10s
PLATFORMS ?=
PUSH      ?=

EXE  = $(shell go env GOEXE)
TOOL = go tool -modfile=.ci/tools/go.mod
# The revision that 'version' prints; a source archive or a checkout that git
# will not touch has none.
VCS  = $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

# Building, testing and linting share these, so that each package is compiled
# once for all of them.
export CGO_ENABLED = 0
export GOFLAGS := $(strip $(shell go env GOFLAGS) -trimpath)

BUILD = go build -buildvcs=$(VCS) -ldflags '-s -w'
# What needs no control plane. With -short, packages leave out what does.
UNIT  = ./pkg/... ./plugins/... ./krmfn/... ./test/arch/... ./test/bench/size/... ./test/release/... ./test/modules/...

.DEFAULT_GOAL := help

##@ Use

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## build every binary into bin/
	@mkdir -p bin
	$(BUILD) -o bin/ ./plugins/...
	$(BUILD) -o bin/timoni-krm$(EXE) ./krmfn

.PHONY: install
install: build ## copy the binaries to PREFIX/bin and the man pages to PREFIX/share/man (PREFIX=~/.local)
	@mkdir -p "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1"
	install -m 755 bin/kubectl-timoni* bin/timoni-krm$(EXE) "$(DESTDIR)$(PREFIX)/bin/"
	install -m 644 docs/man/*.1 "$(DESTDIR)$(PREFIX)/share/man/man1/"

.PHONY: demo
demo: build ## render, apply and build with kustomize, on a cluster that it starts and removes
	@go run ./test/demo

.PHONY: cluster-up
cluster-up: ## start a control plane and print its export line
	@go run ./test/kit/cmd/cluster up

.PHONY: cluster-down
cluster-down: ## stop that control plane
	@go run ./test/kit/cmd/cluster down

.PHONY: krew-local
krew-local: ## install into KREW_ROOT with krew (KREW_ROOT=bin/krew-root)
	@go run ./test/release/cmd/release local -root "$(KREW_ROOT)"

##@ Test

.PHONY: test
test: control-plane build ## run every test, except those with programs of other projects
	go test -timeout 30m ./...

.PHONY: test-interop
test-interop: control-plane peers build dist ## run the tests with krew, cosign, Flux, Argo CD, Helm, older kustomize and Kubernetes, a container engine, Windows (Wine) and linux/arm64 (qemu)
	TIMONI_INTEROP=1 .ci/with-engine .ci/with-emulators go test -timeout 60m ./test/e2e/... ./test/kit ./test/release -run 'TestScripts/interop|TestPlatforms|TestKrew|TestReproducible|TestGoInstall|TestFormulaParses|TestFlake|TestBillsOfMaterials|TestInstallRelease|TestFlux|TestGitOps|TestHealthChecks|TestApplyThatOnlyCreatesPrevious|TestPages/helm'

.PHONY: unit
unit: ## test the packages, without a control plane
	go test -short $(UNIT)

.PHONY: e2e
e2e: control-plane build ## run the scripts, or one: SCRIPT=family/name
	go test -timeout 30m ./test/e2e/... -run 'TestScripts$(if $(SCRIPT),/^$(subst /,$$/^,$(SCRIPT))$$)'

.PHONY: bench
bench: control-plane build ## run the benchmarks (BENCH=regexp COUNT=6); compare with BASE=file or commit
	@.ci/bench '$(BENCH)' '$(COUNT)' '$(TOOL) benchstat' '$(BASE)'

.PHONY: fuzz
fuzz: ## fuzz each parser for FUZZTIME (10s)
	@.ci/fuzz $(FUZZTIME) ./pkg/...

.PHONY: size
size: build ## print size, start-up time and heavy libraries of each binary, and what is packed in dist/; fail above the budget
	@go run ./test/bench/size

##@ Change

.PHONY: verify
verify: ## run everything that CI runs
	@MAKE='$(MAKE)' .ci/verify

.PHONY: fix
fix: gen ## mend what a program can mend
	go mod tidy
	$(TOOL) golangci-lint run --fix ./... || true
	$(TOOL) golangci-lint fmt
	gofmt -s -w .

.PHONY: gen
gen: ## write the generated files: schemas of Kubernetes, golden files of the packages, what package managers read, the reference of the commands
	go run -C test/schemas .
	UPDATE=1 go test -short -count=1 $(UNIT)

.PHONY: dist
dist: ## pack the archives of a release into dist/, with licences, bills of materials and manifests (PLATFORMS=os/arch…)
	@go run ./test/release/cmd/release dist $(PLATFORMS)

.PHONY: image
image: ## pack the container image of timoni-krm into dist/, as an OCI layout and for docker load (PUSH=repository)
	@mkdir -p dist
	@for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch $(BUILD) -o dist/timoni-krm-linux-$$arch ./krmfn || exit 1; done
	@go run ./test/image/cmd/image -o dist/image -push "$(PUSH)" -revision "$$(git rev-parse HEAD 2>/dev/null)" \
		amd64=dist/timoni-krm-linux-amd64 arm64=dist/timoni-krm-linux-arm64

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist

# The steps of verify, in the order in which .ci/verify runs them.

.PHONY: check-format
check-format:
	@files=$$(gofmt -s -l .); test -z "$$files" || { echo "not formatted:"; echo "$$files"; exit 1; }

# The other modules of test/controlplane hold no Go code for tidy to judge by.
.PHONY: check-tidy
check-tidy:
	go mod tidy -diff
	go -C .ci/tools mod tidy -diff
	go -C .ci/tools/actionlint mod tidy -diff
	go -C test/controlplane/flux mod tidy -diff
	go -C test/controlplane/argocd mod tidy -diff
	go -C test/bench/cue mod tidy -diff

.PHONY: check-vet
check-vet:
	go vet ./...
	GOOS=darwin go vet ./pkg/... ./plugins/... ./krmfn/...

.PHONY: check-generated
check-generated:
	@.ci/generated $(UNIT)

# With the tests that need a control plane: what they drive is concurrent. The
# hundreds of sequences of that one drive the same code again.
.PHONY: check-race
check-race: control-plane
	CGO_ENABLED=1 go test -race -timeout 30m -skip '^TestPlanIsWhatHappens$$' $(UNIT)

.PHONY: check-lint
check-lint:
	$(TOOL) golangci-lint run ./...
	go tool -modfile=.ci/tools/actionlint/go.mod actionlint
	@.ci/spelling

.PHONY: check-staticcheck
check-staticcheck:
	$(TOOL) staticcheck -checks 'all,-ST1000,-ST1020,-ST1021,-ST1022' ./...

# A newcomer's first minutes, with the time that they take.
.PHONY: check-getting-started
check-getting-started: control-plane build
	go test -count=1 -v -run '^TestPages$$/^getting-started$$' ./test/e2e

.PHONY: check-vulnerabilities
check-vulnerabilities:
	@.ci/vulnerabilities

# The programs of the control plane, and those of other projects, built into the
# user's cache directory.
.PHONY: control-plane peers
control-plane:
	@go run ./test/kit/cmd/cluster build
peers:
	@go run ./test/kit/cmd/cluster build-peers
