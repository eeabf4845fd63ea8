#!/bin/sh
# Fuzzes each target for so many seconds, beginning with its stored corpus. Needs cargo-fuzz and a
# nightly compiler; says so, and fails, where they are missing.
#   run.sh SECONDS
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo 'fuzzing needs cargo-fuzz: cargo install cargo-fuzz' >&2
    exit 1
fi
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo 'fuzzing needs a nightly compiler: rustup toolchain install nightly' >&2
    exit 1
fi
found=${CARGO_TARGET_DIR:-target}/fuzz-corpus
for target in snapshot hook roster show; do
    # What is found goes beside the stored corpus, which stays small and is changed by hand.
    mkdir -p "$found/$target"
    cargo +nightly fuzz run --fuzz-dir tests/fuzz "$target" "$found/$target" "tests/fuzz/corpus/$target" \
        -- -max_total_time="$seconds" -max_len=8192 -print_final_stats=1
done
