# pm: build, test and install.
#
#   make build      release programs in .build/stage, laid out as installed       make debug    the Swift debug build
#   make test       every test; the last line counts them                         make lint     formats and warnings
#   make demo       the main job, shown on Examples/shop                           make bench    the table of figures
#   make check      lint, unit tests and C tests, in less than two minutes         make soak      the long tests at full size
#   make fuzz       libFuzzer, FUZZ_SECONDS=60 for each target            make sanitize   the tests under sanitizers, valgrind
#   make install    DESTDIR= PREFIX=/usr/local, with manual pages and completions         make clean
#   make deb        the Debian package in .build/deb             make test-system    the package on a machine with systemd
#   make reproducible    builds the package twice and compares
#
# Each entry point installs what it needs (scripts/bootstrap), or prints the line that does.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# One SwiftPM at a time in one scratch path.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

SWIFT ?= swift
CC ?= cc
PREFIX ?= /usr/local
DESTDIR ?=

BUILD := .build
STAGE := $(BUILD)/stage
LIBEXEC := $(STAGE)/lib/pm
RELEASE := $(BUILD)/release
JOBS := $(shell nproc)

# One set of compile flags for all programs, so that they share every compiled module. What differs is how they are
# linked: Package.swift makes pm static, pmd takes the system's C library, pm-gateway the system's OpenSSL too, and
# pm-logs libsystemd.
# Functions in C that have arrays check their end before they return (Swift checks each access by itself).
# Without debug information and without the paths of this tree: the same sources give the same programs everywhere.
SWIFT_RELEASE := $(SWIFT) build -c release --static-swift-stdlib -j $(JOBS) -debug-info-format none \
    -Xcc -ffile-prefix-map=$(CURDIR)=. -Xcc -fstack-protector-strong -Xlinker -T -Xlinker $(CURDIR)/Packaging/release.ld
SWIFT_SOURCES := Package.swift Packaging/release.ld \
    $(shell find Sources CSources -not -path 'Sources/node*' -not -path 'CSources/pm-init*' -not -path 'CSources/pm-exec*' \
    -not -path 'CSources/pm-worker*')
NODE_SOURCES := $(shell find Sources/node -not -name node_modules 2>/dev/null)

# pm-init, pm-exec and pm-worker are built by the C compiler alone: SwiftPM would link the Swift runtime into them.
INIT_SOURCES := $(shell find CSources/pm-init CSources/pm-exec CSources/pm-worker CSources/CPMLinux)

PROGRAMS := $(STAGE)/bin/pm $(LIBEXEC)/pmd $(LIBEXEC)/pm-gateway $(LIBEXEC)/pm-logs \
    $(LIBEXEC)/pm-docker $(LIBEXEC)/pm-init $(LIBEXEC)/pm-exec $(LIBEXEC)/pm-worker \
    $(LIBEXEC)/node/.staged

.PHONY: build debug test check soak demo lint bench fuzz sanitize install deb test-system reproducible clean bootstrap bootstrap-test bootstrap-lint bootstrap-bench bootstrap-sanitize bootstrap-deb bootstrap-system
build: bootstrap $(PROGRAMS)

bootstrap:
	@scripts/bootstrap build
bootstrap-test:
	@scripts/bootstrap build test
bootstrap-lint:
	@scripts/bootstrap build lint
bootstrap-sanitize:
	@scripts/bootstrap build test sanitize
bootstrap-deb:
	@scripts/bootstrap build deb
bootstrap-system:
	@scripts/bootstrap build deb system
bootstrap-bench:
	@scripts/bootstrap build bench

# A stamp for each product, because SwiftPM leaves a program alone that did not change.
$(BUILD)/%.built: $(SWIFT_SOURCES) | bootstrap
	@scripts/run-logged $* "release build" $(SWIFT_RELEASE) --product $*
	@touch $@

$(STAGE)/bin/pm: $(BUILD)/pm.built
$(LIBEXEC)/pmd: $(BUILD)/pmd.built
$(LIBEXEC)/pm-gateway: $(BUILD)/pm-gateway.built
$(LIBEXEC)/pm-logs: $(BUILD)/pm-logs.built
$(LIBEXEC)/pm-docker: $(BUILD)/pm-docker.built
$(STAGE)/bin/pm $(LIBEXEC)/pmd $(LIBEXEC)/pm-gateway $(LIBEXEC)/pm-logs $(LIBEXEC)/pm-docker:
	@mkdir -p $(@D)
	@strip -o $@.new $(RELEASE)/$(@F) && mv $@.new $@

$(BUILD)/pm-init/pm-init $(BUILD)/pm-init/pm-exec $(BUILD)/pm-init/pm-worker &: $(INIT_SOURCES) | bootstrap
	@scripts/run-logged pm-init "static build, with pm-exec and pm-worker" \
	    $(MAKE) -C CSources/pm-init CC=$(CC) BUILD=$(abspath $(BUILD)/pm-init)
	@touch $(BUILD)/pm-init/pm-init $(BUILD)/pm-init/pm-exec $(BUILD)/pm-init/pm-worker

$(LIBEXEC)/pm-init $(LIBEXEC)/pm-exec $(LIBEXEC)/pm-worker: $(LIBEXEC)/%: $(BUILD)/pm-init/%
	@mkdir -p $(@D)
	@strip -o $@.new $< && mv $@.new $@

$(LIBEXEC)/node/.staged: $(NODE_SOURCES)
	@mkdir -p $(@D)
	@rm -rf $(LIBEXEC)/node/host $(LIBEXEC)/node/client
	@for part in host client; do [ ! -d Sources/node/$$part ] || cp -R Sources/node/$$part $(LIBEXEC)/node/; done
	@touch $@

# What pm says of itself: manual pages, and what shells complete.
$(STAGE)/share/.made: $(STAGE)/bin/pm Packaging/man/manual.mjs Packaging/man/pm-init.1
	@mkdir -p $(STAGE)/share/completions
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 0)}" \
	    node Packaging/man/manual.mjs $(STAGE)/bin/pm $(STAGE)/share/man
	@cp Packaging/man/pm-init.1 $(STAGE)/share/man/
	@$(STAGE)/bin/pm check --schema >$(STAGE)/share/pm.config.schema.json
	@for shell in bash zsh fish; do \
	    $(STAGE)/bin/pm --generate-completion-script $$shell >$(STAGE)/share/completions/$$shell; done
	@touch $@

debug: bootstrap
	@scripts/run-logged debug "debug build of modules and tests" $(SWIFT) build --build-tests -j $(JOBS)

test: bootstrap-test build debug
	@scripts/test

# Needs no release build.
check: bootstrap-test bootstrap-lint debug
	@scripts/check

soak: bootstrap-test build debug
	@scripts/soak

demo: build
	@scripts/demo

lint: bootstrap-lint
	@scripts/lint

bench: bootstrap-bench build
	@Benchmarks/run

fuzz: bootstrap
	@scripts/fuzz

sanitize: bootstrap-sanitize
	@scripts/sanitize

install: build $(STAGE)/share/.made
	@scripts/install "$(DESTDIR)$(PREFIX)"

deb: bootstrap-deb
	@scripts/deb

test-system: bootstrap-system deb
	@Tests/SystemTests/all $(BUILD)/deb/pm_*.deb

reproducible: bootstrap-deb
	@scripts/reproducible

clean:
	@rm -rf $(BUILD)
