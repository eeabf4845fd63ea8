# Every target for users has a text after `##`; `make` alone prints them.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test test-boot bench lint docs man install deb soak clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-9s %s\n' "$$name" "$$text"; done

run: ## Build, save your tmux sessions (or those of a demonstration) and show how to restore them
	@tests/support/install-prerequisites.sh run
	@cargo build --workspace
	@docs/demo.sh "$${CARGO_TARGET_DIR:-target}/debug"

test: ## Run every test, with real agents; ARGS=NAME runs tests whose name contains it
	@tests/support/install-prerequisites.sh test
	@tests/support/run-tests.sh $(ARGS)

test-boot: ## Run the tests that boot a host with the package installed; as root
	@tests/support/install-prerequisites.sh test
	@tests/support/run-tests.sh boot::

bench: ## Measure save, show, restore, launches and provisioning beside their floors
	@tests/support/install-prerequisites.sh run
	@cargo build --workspace --release
	@cargo bench --bench sessions --bench launch --bench provision

lint: ## Check the format and every lint, warnings as errors
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

PREFIX ?= /usr/local
install: ## Install programs, man pages and, below /usr or /usr/local, units: DESTDIR=, PREFIX=
	@tests/support/install-prerequisites.sh run
	@cargo build --workspace --release
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" units/packaging/install.sh "$${CARGO_TARGET_DIR:-target}/release"

deb: ## Build the Debian package in target/deb
	@tests/support/install-prerequisites.sh deb
	@cargo build --workspace --release
	@units/packaging/build-deb.sh "$${CARGO_TARGET_DIR:-target}/release"

docs: man ## Rewrite what documents take from programs and code: man pages, output, lists, the picture
	@cargo build --workspace
	@TL_WRITE_DOCS=1 cargo test --quiet --test integration -- documents:: architecture::
	@docs/picture/record.py "$${CARGO_TARGET_DIR:-target}/debug"

man: ## Write the man pages to docs/man from the programs' own definitions
	@mkdir -p docs/man
	@cargo run --quiet --bin persist -- manual docs/man
	@cargo run --quiet --bin provision -- manual docs/man

ROUNDS ?= 20
FUZZ_SECONDS ?= 600
soak: ## Run long campaigns: properties, fuzzing, faults ROUNDS times, 500 set-ups, every tmux, Debian, older agents
	@tests/support/install-prerequisites.sh soak
	@cargo build --workspace
	@for suite in trixie-backports sid; do tests/support/tmux-versions.sh test $$suite || exit; done
	@TL_BOOT_SUITES="trixie sid" tests/support/run-tests.sh boot::suites
	TL_AGENTS=agents-older cargo test --test integration -- agents::proof
	TL_ROUNDS=1-500 cargo test --test integration -- set_ups::rounds
	PROPTEST_CASES=20000 cargo test --release --workspace --lib
	@tests/fuzz/run.sh $(FUZZ_SECONDS)
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; \
		cargo test --test integration -- faults:: hostile:: || exit; done

clean: ## Remove everything that was built, and the agents that the tests installed
	@cargo clean
	@rm -rf target
