#!/bin/sh
# Packs what was built into one Debian package, target/deb/terminal-lobby.deb.
#   build-deb.sh DIRECTORY-OF-THE-PROGRAMS
set -eu
cd "$(dirname "$0")/../.."
root=target/deb/root
rm -rf "$root"
mkdir -p "$root"
DESTDIR=$root PREFIX=/usr units/packaging/install.sh "$1"
doc=$root/usr/share/doc/terminal-lobby
mv "$doc/CHANGELOG.md" "$doc/changelog" # by Debian's name; cargo-deb compresses it
install -D -m 644 units/packaging/debian/lintian-overrides \
    "$root/usr/share/lintian/overrides/terminal-lobby"
target/tools/bin/cargo-deb deb --no-build --no-strip --quiet --output target/deb/terminal-lobby.deb
