# "make help" lists the verbs. Go alone builds everything that users need; a C
# compiler is for who changes the guest kernel, and for the tests.

GO ?= go
FUZZTIME ?= 20s
TESTFLAGS ?=
# Slow machines take longer than Go's ten minutes for a package.
TEST = $(GO) test -timeout 30m $(TESTFLAGS)
BENCHFLAGS ?=

# Every Go module but tools, from the root.
MODULES := . cmd/airlock bench bench/plots test/guests
# What Airlock is compared with: a native library of 55 MB that only "make bench" needs.
PEERS := bench/peers
# Those with code of the product. The guests of the tests misbehave on purpose.
PRODUCT := . cmd/airlock bench bench/plots
# Those that are for other systems too.
PORTABLE := . cmd/airlock

# Packages without a virtual machine.
NOKVM := ./internal/abi/... ./internal/cpu ./internal/elf/... ./internal/guestmem/... ./internal/wire/... ./internal/seccomp ./internal/worker ./internal/strace ./internal/kernel/... \
	./internal/machine/bootstate ./internal/machine/cpuid ./internal/machine/pagetable ./internal/ocilayout ./internal/snapfile
# Packages with goroutines, in which the race detector finds something to watch.
RACE := . ./internal/guestmem/... ./internal/snapfile ./internal/kvm/... ./internal/machine/... ./internal/seccomp ./internal/worker

TOOL := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
# run "each,MODULES,COMMAND": the command, in all modules even if it fails in one
each = @failed=; for module in $(1); do echo "$$module: $(2)"; (cd $$module && $(2)) || failed=1; done; test -z "$$failed"

.PHONY: all help build check test test-nokvm race soak nested fuzz nightly bench kernel guests generate fmt lint cover vuln demo install \
	clean setup tidy vet cross generated format

all: build

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | expand -t 14

build: ## build bin/airlock
	$(GO) build -C cmd/airlock -o $(CURDIR)/bin/airlock .

demo: build ## run a Go program in a sandbox, and call functions of another; needs Go and /dev/kvm only
	@mkdir -p build
	@bin/airlock doctor >build/doctor.log || { cat build/doctor.log; exit 1; }
	@echo airlock run ./test/guests/go/hello
	@bin/airlock run -v ./test/guests/go/hello 2>build/demo.log || { cat build/demo.log >&2; exit 1; }
	@sed -n 's/.*msg="program ended".*duration=\([^ ]*\).*/From the start of its virtual machine to its exit: \1/p' build/demo.log
	@CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -o build/hello.guest ./examples/hello/guest
	$(GO) run ./examples/hello build/hello.guest

setup: # installs or names what the tests need
	@scripts/setup.sh

test: setup ## run all tests
	$(call each,$(MODULES),$(TEST) ./...)
	@cat build/test/attacks.txt # what was tried on the way, and what of it the host has survived

test-nokvm: ## run the tests that need no /dev/kvm
	$(TEST) $(NOKVM)

race: setup ## run tests under the race detector
	CGO_ENABLED=1 $(TEST) -race -short $(RACE)

nested: ## run tests on kvm_amd with nested paging, emulated by QEMU: test/nested
	test/nested/run.sh

soak: ## a million calls, each followed by a restore: takes minutes
	CGO_ENABLED=0 $(GO) test ./test -run '^TestManyRestores$$' -v -timeout 0 -count 1 -args -soak 1000000

fuzz: ## run each fuzz target for FUZZTIME (20s)
	scripts/fuzz.sh $(FUZZTIME)

nightly: FUZZTIME = 10m
nightly: setup soak fuzz ## soak, fuzz with FUZZTIME=10m, and 100 000 sandboxes: takes hours
	AIRLOCK_LONG=1 CGO_ENABLED=0 $(GO) test ./test -run '^(TestManyCycles|TestRandomCancels)$$' -v -timeout 0 -count 1 -args -cycles 100000

bench: ## measure this machine; bench/SPEC.md says what and how
	$(GO) run -C bench . $(BENCHFLAGS)

check: format vet lint generated tidy cross ## what a change must pass beside the tests

format:
	@files=$$($(TOOL) gofumpt -l .); test -z "$$files" || { echo "not formatted, run 'make fmt':"; echo "$$files"; exit 1; }

vet:
	$(call each,$(MODULES) $(PEERS),$(GO) vet ./...)

# golangci-lint takes minutes to build, so it is used where it is installed;
# staticcheck, which it contains, is always there.
lint: ## look for mistakes that compile
	$(call each,$(PRODUCT),$(TOOL) staticcheck ./...)
	@command -v golangci-lint >/dev/null || echo "golangci-lint is not installed: only staticcheck was run"
	@! command -v golangci-lint >/dev/null || for module in $(PRODUCT); do (cd $$module && golangci-lint run ./...) || exit 1; done

generated:
	scripts/check-generated.sh

tidy:
	$(call each,$(MODULES) $(PEERS) tools,$(GO) mod tidy -diff)

# Who needs these: programs that import the library and also run on other
# systems, where New fails with ErrNoHypervisor; and their developers' editors.
cross:
	CGO_ENABLED=0 $(GO) build ./...
	$(call each,$(PORTABLE),GOOS=darwin $(GO) vet ./...)
	$(call each,$(PORTABLE),GOOS=windows $(GO) vet ./...)
	$(call each,$(PORTABLE),GOARCH=arm64 $(GO) vet ./...)

kernel: ## build the guest kernel's image; needs the C compiler that TOOLCHAIN names
	sh internal/kernel/build.sh $(CURDIR)/internal/kernel/kernel.elf
	$(GO) test ./internal/kernel -run '^TestImageIsCurrent$$' -count 1 -update

guests: ## build the tests' guests into build/test/guests
	test/guests/build.sh build/test/guests

generate: ## write the generated Go files; needs a C compiler and flatc
	$(GO) generate ./...

fmt: ## format the Go files and tidy the go.mod files
	$(TOOL) gofumpt -w .
	$(call each,$(MODULES) $(PEERS) tools,$(GO) mod tidy)

cover: setup ## measure which lines of the library the tests reach
	@mkdir -p build
	$(GO) test -coverpkg=./... -coverprofile=build/cover.out ./...
	$(GO) tool cover -func=build/cover.out | tail -n 1

vuln: ## look for known vulnerabilities; needs the network
	$(call each,$(PRODUCT),$(TOOL) govulncheck ./...)

install: ## install the command airlock
	$(GO) install -C cmd/airlock .

clean: ## remove what was built
	rm -rf bin build
