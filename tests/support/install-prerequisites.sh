#!/bin/sh
# Installs what this machine lacks for one purpose, and says what it installs.
#   install-prerequisites.sh run     to build and to run: tmux, git, a C linker, make, cargo; node and npm for the page
#   install-prerequisites.sh test    the same, and what the tests drive: strace, python3, openssl, visudo, zstd, a browser,
#                                    the real agents (target/agents, pinned by tests/agents/lab); for
#                                    root what boots a box: systemd-nspawn, debootstrap; and another version of tmux
#                                    (target/tmux); and promtool (target/tools), from Debian's package
#   install-prerequisites.sh bench   as for run, and a web server to compare with: nginx (target/tools)
#   install-prerequisites.sh soak    the same, older agents (target/agents-older), and opencode (target/agents-opencode)
#   install-prerequisites.sh deb     what packs the Debian package: cargo-deb (target/tools, pinned)
# Silent when nothing is missing.
set -eu
cd "$(dirname "$0")/../.."

say() { printf 'prerequisites: %s\n' "$*" >&2; }

# Prints what is missing, by the names in packages_of. /usr/sbin is not in every user's PATH.
missing() (
    PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
    has() { command -v "$1" >/dev/null 2>&1 || echo "$2"; }
    has tmux tmux
    has git git
    has make make
    has node node
    has npm npm
    # Without the C library's start file cc is there and yet cannot link.
    case $(cc -print-file-name=crt1.o 2>/dev/null) in /*) ;; *) echo cc ;; esac
    [ "$1" != deb ] || has dpkg-shlibdeps dpkg-shlibdeps
    [ "$1" = test ] || exit 0
    has strace strace
    has python3 python3
    has openssl openssl
    has chromium chromium
    has ss ss
    has unshare unshare
    has useradd useradd
    has visudo visudo
    has zstd zstd
    has ps ps
    # A file system that hangs; a server of git over ssh; a shell whose prompts have helpers.
    ! command -v apt-get >/dev/null 2>&1 || has bindfs bindfs
    ! command -v apt-get >/dev/null 2>&1 || has restic restic
    ! command -v apt-get >/dev/null 2>&1 || has sshd sshd
    ! command -v apt-get >/dev/null 2>&1 || has zsh zsh
    ! command -v apt-get >/dev/null 2>&1 || has fish fish
    # What checks the package.
    ! command -v apt-get >/dev/null 2>&1 || has lintian lintian
    # Only root boots a box.
    [ "$(id -u)" = 0 ] || exit 0
    has systemd-nspawn systemd-nspawn
    has debootstrap debootstrap
    has mkfs.ext4 mkfs.ext4
    # Only there are the packages of other Debian suites, with their tmux.
    ! command -v apt-get >/dev/null 2>&1 || has patchelf patchelf
)

manager() {
    for each in apt-get dnf pacman zypper apk; do
        if command -v "$each" >/dev/null 2>&1; then
            echo "$each"
            return
        fi
    done
}

# packages_of MANAGER NAME...: the packages that hold the named things, on one line.
packages_of() {
    with=$1
    shift
    for name; do
        case $with:$name in
        apt-get:cc) echo gcc libc6-dev ;;
        dnf:cc | zypper:cc) echo gcc glibc-devel ;;
        pacman:cc) echo gcc glibc ;;
        apk:cc) echo gcc musl-dev ;;
        pacman:python3) echo python ;;
        *:node) echo nodejs ;;
        dnf:ss) echo iproute ;;
        *:ss) echo iproute2 ;;
        *:unshare) echo util-linux ;;
        *:visudo) echo sudo ;;
        apt-get:useradd) echo passwd ;;
        dnf:useradd) echo shadow-utils ;;
        *:useradd) echo shadow ;;
        dnf:ps | pacman:ps | apk:ps) echo procps-ng ;;
        *:ps) echo procps ;;
        dnf:systemd-nspawn | zypper:systemd-nspawn | apt-get:systemd-nspawn) echo systemd-container ;;
        *:systemd-nspawn) echo systemd ;;
        apt-get:sshd) echo openssh-server ;;
        *:mkfs.ext4) echo e2fsprogs ;;
        apt-get:dpkg-shlibdeps) echo dpkg-dev ;;
        *:dpkg-shlibdeps) echo dpkg ;;
        *) echo "$name" ;;
        esac
    done | tr '\n' ' '
}

install_command() {
    case $1 in
    apt-get) echo 'apt-get install -y --no-install-recommends' ;;
    dnf) echo 'dnf install -y' ;;
    pacman) echo 'pacman -Sy --needed --noconfirm' ;;
    zypper) echo 'zypper --non-interactive install' ;;
    apk) echo 'apk add' ;;
    esac
}

install_packages() {
    lacking=$(missing "$1" | tr '\n' ' ')
    [ -n "$lacking" ] || return 0
    with=$(manager)
    if [ -z "$with" ]; then
        say "missing: $lacking- and no package manager that is known here; please install them"
        exit 1
    fi
    # shellcheck disable=SC2086 # words on purpose: names without spaces
    packages=$(packages_of "$with" $lacking)
    command=$(install_command "$with")
    if [ "$(id -u)" != 0 ]; then
        say "missing: $lacking- and only root may install packages. Run:"
        [ "$with" != apt-get ] || command="apt-get update && sudo $command"
        say "  sudo $command $packages"
        exit 1
    fi
    say "installing with $with: $packages"
    # A fresh container has no package lists; `apt-get install` then knows no package at all.
    if [ "$with" = apt-get ]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q >/dev/null
    fi
    # shellcheck disable=SC2086
    $command $packages >&2
    lacking=$(missing "$1" | tr '\n' ' ')
    if [ -n "$lacking" ]; then
        say "still missing after the installation: $lacking"
        exit 1
    fi
}

# A distribution's cargo is usually too old, and rustup installs for one user: so this only checks.
check_cargo() {
    wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
    if ! found=$(cargo --version 2>/dev/null); then
        say "cargo is missing; Rust $wanted or newer is needed: install it with rustup"
        exit 1
    fi
    found=${found#cargo }
    found=${found%% *}
    oldest=$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)
    if [ "$oldest" != "$wanted" ]; then
        say "cargo is $found; Rust $wanted or newer is needed: update it with rustup"
        exit 1
    fi
}

# install_agents LAB PLACE FETCH: installs the agents of a lock file into target/PLACE, by the function
# FETCH, whole or not at all. Without them (no network, say) the tests still run, and those that need agents report what
# they lack.
install_agents() (
    lab=$1 place=target/$2 fetch=$3
    stamp=$(cat "$lab/package.json" "$lab/package-lock.json" | sha256sum)
    stamp=${stamp%% *}
    if [ "$(cat "$place/stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    say "installing the programs of $lab/package-lock.json into $place"
    mkdir -p target
    new=$(mktemp -d "$place.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    cp "$lab/package.json" "$lab/package-lock.json" "$new/"
    if ! "$fetch" "$new" >&2; then
        say 'they could not be installed: the tests that need them will not run'
        return 0
    fi
    chmod 755 "$new" # mktemp's 0700 would hide the agents from the accounts that tests switch to
    echo "$stamp" >"$new/stamp"
    rm -rf "$place"
    mv -T "$new" "$place"
)

# npm's own install scripts run or not depending on its version; the one that is needed (it puts the
# native binary in place of a stub) is run by name.
fetch_agents() (
    cd "$1" && mkdir home &&
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error &&
        node node_modules/@anthropic-ai/claude-code/install.cjs &&
        HOME=$PWD/home node_modules/.bin/claude --version &&
        HOME=$PWD/home node_modules/.bin/codex --version &&
        rm -rf home
)

# The others need no script of theirs. `npm ci` refuses a lock file without the optional parts for other
# systems, which not every registry has; what is in it is pinned for `npm install`, too.
fetch_others() (
    cd "$1" && mkdir home &&
        npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error &&
        for agent in copilot gemini pi qwen; do
            HOME=$PWD/home "node_modules/.bin/$agent" --version || exit
        done &&
        rm -rf home
)

# opencode needs a script of its own, which puts the native binary in place of a stub; it starts slowly.
fetch_opencode() (
    cd "$1" && mkdir home &&
        npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error &&
        (cd node_modules/opencode-ai && node postinstall.mjs) &&
        HOME=$PWD/home node_modules/.bin/opencode --version &&
        rm -rf home
)

# The OpenID provider of the lobby's tests.
fetch_provider() (
    cd "$1" && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
)

# The packer of the Debian package, pinned; in target/tools, so that it is nobody else's.
install_packer() {
    version=3.8.0
    case $(target/tools/bin/cargo-deb --version 2>/dev/null) in *" $version") return 0 ;; esac
    say "installing cargo-deb $version into target/tools"
    cargo install --quiet --locked cargo-deb --version "$version" --root target/tools \
        --no-default-features --features gzip >&2
}

# install_program FILE PACKAGE: one program into target/tools/bin, from a package of Debian's that would start a server.
# Without it what needs it still runs, and says what it lacks.
install_program() (
    name=${1##*/}
    if (PATH=$PATH:/usr/sbin; command -v "$name") >/dev/null 2>&1 || [ -x "target/tools/bin/$name" ]; then return 0; fi
    command -v apt-get >/dev/null 2>&1 || return 0
    say "installing $name into target/tools"
    mkdir -p target/tools/bin
    new=$PWD/$(mktemp -d "target/tools/$name.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    cd "$new"
    # apt-get of a fresh container has no package lists, and fetches as a user of its own where it can.
    chmod 755 .
    if ! apt-get -q download "$2" >/dev/null 2>&1; then
        { [ "$(id -u)" = 0 ] && apt-get update -q && apt-get -q download "$2"; } >/dev/null 2>&1 || {
            say "$name could not be installed"
            return 0
        }
    fi
    dpkg-deb --fsys-tarfile "$2"_*.deb | tar -x ".$1"
    mv ".$1" "../bin/$name"
)

# What drives the browser; beside the scenarios, where node looks for it.
install_driver() (
    cd tests/lobby/browser
    stamp=$(sha256sum package-lock.json)
    if [ "$(cat node_modules/stamp 2>/dev/null)" = "$stamp" ]; then return 0; fi
    say 'installing what drives the browser into tests/lobby/browser/node_modules'
    npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    echo "$stamp" >node_modules/stamp
)

case ${1-} in
run)
    install_packages run
    check_cargo
    ;;
test)
    install_packages test
    check_cargo
    install_driver || say 'the tests in a browser will not run'
    install_agents tests/agents/lab agents fetch_agents
    install_agents tests/agents/lab/others agents-others fetch_others
    install_agents tests/lobby/provider oidc-provider fetch_provider
    # What reads alerting rules as Prometheus does.
    install_program /usr/bin/promtool prometheus
    [ "$(id -u)" != 0 ] || tests/support/tmux-versions.sh install trixie trixie-backports ||
        say 'the tests will not run on all other versions of tmux'
    ;;
bench)
    "$0" run
    install_program /usr/sbin/nginx nginx
    ;;
soak)
    "$0" test
    install_agents tests/agents/lab/older agents-older fetch_agents
    install_agents tests/agents/lab/opencode agents-opencode fetch_opencode
    ;;
deb)
    install_packages deb
    check_cargo
    install_packer
    ;;
*)
    echo "usage: $0 run|test|bench|soak|deb" >&2
    exit 2
    ;;
esac
