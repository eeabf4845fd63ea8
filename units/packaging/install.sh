#!/bin/sh
# Installs what was built below $DESTDIR$PREFIX: programs, man pages, completions, documents; and
# for a host (SYSTEM=yes, the default where PREFIX is /usr or /usr/local) units, the PAM file and
# configuration. `make install` and the Debian package both use it.
#   install.sh DIRECTORY-OF-THE-PROGRAMS
set -eu
cd "$(dirname "$0")/../.."
built=$1
: "${PREFIX:=/usr/local}" "${DESTDIR:=}"
case $PREFIX in
/usr | /usr/local) : "${SYSTEM:=yes}" ;;
*) : "${SYSTEM:=no}" ;;
esac
to=$DESTDIR$PREFIX
etc=$DESTDIR/etc

install -d "$to/bin" "$to/share/man/man1" "$to/share/doc/terminal-lobby"
install -m 755 "$built/persist" "$built/provision" "$built/start-claude" "$built/lobby" "$to/bin"
install -m 644 docs/man/*.1 "$to/share/man/man1"
install -m 644 CHANGELOG.md docs/*.md docs/alerts.yml docs/alerts-host.yml docs/alerts-t3.yml units/config/host.toml \
    "$to/share/doc/terminal-lobby"
install -d "$to/share/doc/terminal-lobby/examples"
install -m 644 units/config/examples/* "$to/share/doc/terminal-lobby/examples"

# Debian keeps site-functions for the administrator.
zsh=site-functions
[ "$PREFIX" != /usr ] || [ ! -e /etc/debian_version ] || zsh=vendor-completions
completions() { # PROGRAM SHELL FILE
    install -d "$to/share/$(dirname "$3")"
    "$built/$1" completions "$2" >"$to/share/$3"
    chmod 644 "$to/share/$3"
}
for program in persist provision lobby; do
    completions "$program" bash "bash-completion/completions/$program"
    completions "$program" zsh "zsh/$zsh/_$program"
    completions "$program" fish "fish/vendor_completions.d/$program.fish"
done

[ "$SYSTEM" = yes ] || exit 0
units=$to/lib/systemd/system
for path in units/system/* units/system/*/*; do
    name=${path#units/system/}
    if [ -L "$path" ]; then
        install -d "$units/$(dirname "$name")"
        ln -sf "$(readlink "$path")" "$units/$name"
    elif [ -f "$path" ]; then
        install -D -m 644 "$path" "$units/$name"
        sed -i "s,/usr/bin/\(persist\|provision\|lobby\) ,$PREFIX/bin/\1 ,;s,/usr/share/doc,$PREFIX/share/doc," "$units/$name"
    fi
done
for kind in tmpfiles.d sysusers.d; do
    install -d "$to/lib/$kind"
    install -m 644 units/$kind/*.conf "$to/lib/$kind"
done
# What an administrator may have changed is left alone.
for file in pam.d/tmux-persist terminal-lobby/config.toml terminal-lobby/launcher.toml; do
    if [ ! -e "$etc/$file" ]; then
        source=units/$file
        [ -e "$source" ] || source=units/config/${file#terminal-lobby/}
        install -D -m 644 "$source" "$etc/$file"
    fi
done
