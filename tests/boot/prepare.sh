#!/bin/sh
# Makes the boxes that the boot tests stand on: `bare`, a Debian with three terminal users, and
# `host`, the same with the package installed. The package is built first: it is what is tested.
# Prints "ready", or why no box can boot here.
set -eu
cd "$(dirname "$0")/../.."

if ! why=$(tests/boot/bootbox check 2>&1); then
    echo "${why#bootbox: }" | tr '\n' ' '
    exit 0
fi
tests/support/install-prerequisites.sh deb >&2
cargo build --workspace --release --quiet >&2
units/packaging/build-deb.sh "${CARGO_TARGET_DIR:-target}/release" >&2
status=0
tests/boot/bootbox build bare --copy tests/boot/stub-claude:/usr/local/bin/claude \
    --run "$(cat tests/boot/users.sh)" >&2 || status=$?
if [ "$status" = 77 ]; then
    echo 'the base system could not be made (see above)'
    exit 0
fi
[ "$status" = 0 ]
tests/boot/bootbox build host --from bare --deb target/deb/terminal-lobby.deb >&2
echo ready
