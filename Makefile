# Every target for users has a text after `##`; `make` alone prints them.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run page test test-boot bench bench-page page-shots lint docs man install deb soak clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

run: ## Build, save your tmux sessions (or those of a demonstration) and show how to restore them
	@tests/support/install-prerequisites.sh run
	@src/lobby/page/build.sh
	@cargo build --workspace
	@docs/demo.sh "$${CARGO_TARGET_DIR:-target}/debug"

page: ## Build the lobby's page, which the program lobby holds
	@tests/support/install-prerequisites.sh run
	@src/lobby/page/build.sh

test: ## Run every test, with real agents; ARGS=NAME runs tests whose name contains it
	@tests/support/install-prerequisites.sh test
	@src/lobby/page/build.sh
	@tests/support/run-tests.sh $(ARGS)

test-boot: ## Run the tests that boot a host with the package installed; as root
	@tests/support/install-prerequisites.sh test
	@src/lobby/page/build.sh
	@tests/support/run-tests.sh boot::

bench: ## Measure save, show, restore, launches and provisioning beside their floors
	@tests/support/install-prerequisites.sh bench
	@src/lobby/page/build.sh
	@cargo build --workspace --release --bins --examples
	@cargo bench --no-fail-fast --bench sessions --bench launch --bench provision --bench lobby
	@tests/bench/lobby/t3-beside-nginx "$${CARGO_TARGET_DIR:-target}/release/lobby"

bench-page: ## Measure the time from a click to the full screen of a session, in a real browser
	@tests/support/install-prerequisites.sh test
	@src/lobby/page/build.sh
	@cargo build --workspace --release --bins
	@tests/lobby/browser/with-lobby.sh "$${CARGO_TARGET_DIR:-target}/release" measure.mjs 20

page-shots: ## Take the pictures of docs/lobby.md
	@tests/support/install-prerequisites.sh test
	@src/lobby/page/build.sh
	@cargo build --workspace --bins
	@mkdir -p docs/shots
	@tests/lobby/browser/with-lobby.sh "$${CARGO_TARGET_DIR:-target}/debug" shots.mjs "$(CURDIR)/docs/shots"

lint: ## Check the format and every lint, warnings as errors
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --quiet -- -D warnings

PREFIX ?= /usr/local
install: ## Install programs, man pages and, below /usr or /usr/local, units: DESTDIR=, PREFIX=
	@tests/support/install-prerequisites.sh run
	@src/lobby/page/build.sh
	@cargo build --workspace --release
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" units/packaging/install.sh "$${CARGO_TARGET_DIR:-target}/release"

deb: ## Build the Debian package in target/deb
	@tests/support/install-prerequisites.sh deb
	@src/lobby/page/build.sh
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
	@cargo run --quiet --bin lobby -- manual docs/man

ROUNDS ?= 20
FUZZ_SECONDS ?= 600
soak: ## Run long campaigns: properties, fuzzing, faults ROUNDS times, 500 set-ups, an hour of the lobby, every tmux, Debian, older agents
	@tests/support/install-prerequisites.sh soak
	@src/lobby/page/build.sh
	@cargo build --workspace
	@for suite in trixie-backports sid; do tests/support/tmux-versions.sh test $$suite || exit; done
	@TL_BOOT_SUITES="trixie sid" tests/support/run-tests.sh boot::suites
	TL_AGENTS=agents-older cargo test --test integration -- agents::proof
	cargo test --test integration -- agents::others
	TL_RESTORE_KILLS=1000 cargo test --test integration -- faults::clients
	TL_KILLS=200 cargo test --test integration -- lobby::survive lobby::gateway::restart
	TL_SOAK=3600 cargo test --test integration -- --nocapture lobby::gateway::soak
	TL_T3_STEP=1 cargo test --test integration -- --nocapture t3::enforce::killed t3::restore
	TL_ROUNDS=1-500 cargo test --test integration -- set_ups::rounds
	TL_STUB_MEMORY=300 cargo test --test integration -- watch::suspend::many
	TL_STUB_MEMORY=300 cargo test --test integration -- --nocapture watch::suspend::small_host
	PROPTEST_CASES=20000 cargo test --release --workspace --lib
	@tests/fuzz/run.sh $(FUZZ_SECONDS)
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; \
		cargo test --test integration -- faults:: hostile:: || exit; done

clean: ## Remove everything that was built, and the agents that the tests installed
	@cargo clean
	@rm -rf target
