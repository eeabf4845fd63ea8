#!/bin/sh
# Runs all tests, then says which could not run because this machine lacks something for them.
# Such a test passes, and leaves a line `LACKS: ...` in the file that TL_LACKS_FILE names.
# Under CI=true a lack fails the run, unless tests/allowed-lacks.txt names it.
#   run-tests.sh [FILTER]...
set -u
cd "$(dirname "$0")/../.." || exit 1

TL_LACKS_FILE=$(mktemp)
export TL_LACKS_FILE
TL_BOOT='the preparation of the boot tests failed (see above)'
export TL_BOOT
trap 'rm -f "$TL_LACKS_FILE"; tests/boot/bootbox destroy --all 2>/dev/null' EXIT

# `persist` runs the launcher that lies beside it; no test target of this package builds that.
cargo build --workspace || exit

# The tests in tests/boot need root, and what they stand on; without it each says what is lacking.
# With a filter that names none of them they are not prepared.
boot=yes
for filter; do boot=no; case $filter in boot*) boot=yes && break ;; esac done
if [ "$boot" = yes ]; then
    TL_BOOT=$(tests/boot/prepare.sh) || exit
fi

if cargo nextest --version >/dev/null 2>&1; then
    # nextest leaves the examples in the documentation out.
    cargo test --workspace --doc --quiet -- "$@" || docs=failed
    cargo nextest run --workspace --no-tests=warn "$@"
else
    cargo test --workspace -- "$@"
fi
status=$?
[ "${docs-}" != failed ] || status=1

# What talks to tmux once more, on the tmux of the next Debian.
tests/support/tmux-versions.sh test trixie "$@" || status=1

# unexpected: the lacks that no line of the list is the beginning of.
unexpected() {
    awk 'FNR == NR { if ($0 !~ /^(#|$)/) allowed[$0]; next }
         { for (a in allowed) if (index($0, "LACKS: " a) == 1) next; print }' \
        tests/allowed-lacks.txt "$TL_LACKS_FILE"
}

if [ -s "$TL_LACKS_FILE" ]; then
    sort -u -o "$TL_LACKS_FILE" "$TL_LACKS_FILE"
    printf '\n%s tests could not run here:\n' "$(wc -l <"$TL_LACKS_FILE")"
    sed 's/^LACKS: /    /' "$TL_LACKS_FILE"
    if [ "${CI-}" = true ] && [ -n "$(unexpected)" ]; then
        printf '\nCI runs every test; not in tests/allowed-lacks.txt:\n'
        unexpected
        [ "$status" != 0 ] || status=1
    fi
fi
exit "$status"
