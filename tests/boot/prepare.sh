#!/bin/sh
# Makes the boxes that the boot tests stand on: `bare`, a Debian with three terminal users, and
# `host`, the same with the package installed. The package is built first: it is what is tested.
# `lobby` is that with nginx and Caddy. For each newer suite that TL_BOOT_SUITES names a `host-SUITE` as
# well; one that cannot be made is missed by its test. Prints "ready", or why no box can boot here.
set -eu
cd "$(dirname "$0")/../.."

if ! why=$(tests/boot/bootbox check 2>&1); then
    echo "${why#bootbox: }" | tr '\n' ' '
    exit 0
fi
tests/support/install-prerequisites.sh deb >&2
cargo build --workspace --release --quiet >&2
units/packaging/build-deb.sh "${CARGO_TARGET_DIR:-target}/release" >&2

# make_boxes BARE HOST SUITE
make_boxes() {
    tests/boot/bootbox build "$1" --suite "$3" \
        --copy tests/boot/stub-claude:/usr/local/bin/claude \
        --run "$(cat tests/boot/users.sh)" >&2 || return
    tests/boot/bootbox build "$2" --from "$1" --deb target/deb/terminal-lobby.deb >&2
}
status=0
make_boxes bare host bookworm || status=$?
if [ "$status" = 77 ]; then
    echo 'the base system could not be made (see above)'
    exit 0
fi
[ "$status" = 0 ]
for suite in ${TL_BOOT_SUITES-trixie}; do
    make_boxes "bare-$suite" "host-$suite" "$suite" || status=$?
    # A package that cannot be installed there is a failure, a suite that cannot be had is not.
    [ "$status" = 0 ] || [ "$status" = 77 ]
done

# The host with the web servers that stand in front of the lobby: Debian's packages, with what they need that the base
# system lacks. Where they cannot be had the tests of the lobby say so.
make_lobby() {
    home=$(realpath "${BOOTBOX_HOME:-target/boxes}")
    debs=$home/debs
    status=$(ls -td "$home"/base/bookworm-*/ | head -n 1)var/lib/dpkg/status
    rm -rf "$debs"
    mkdir -p "$debs/partial"
    apt-get -qq -y --no-install-recommends --download-only -o Dir::State::status="$status" \
        -o Dir::Cache::archives="$debs" -o APT::Sandbox::User=root install nginx caddy || return 0
    set --
    for deb in "$debs"/*.deb; do set -- "$@" --deb "$deb"; done
    # Each test starts the one that it is about.
    tests/boot/bootbox build lobby --from host "$@" --run 'systemctl disable nginx caddy'
}
make_lobby >&2
echo ready
