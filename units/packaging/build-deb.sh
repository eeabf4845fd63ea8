#!/bin/sh
# Packs what was built into one Debian package, target/deb/terminal-lobby.deb.
#   build-deb.sh DIRECTORY-OF-THE-PROGRAMS
set -eu
cd "$(dirname "$0")/../.."
root=target/deb/root
rm -rf "$root"
mkdir -p "$root"
DESTDIR=$root PREFIX=/usr units/packaging/install.sh "$1"
target/tools/bin/cargo-deb deb --no-build --no-strip --quiet --output target/deb/terminal-lobby.deb
