#!/bin/sh
# Other versions of tmux than the machine's, from the packages of other Debian suites; nothing of
# them is installed.
#   tmux-versions.sh install SUITE...       puts each into target/tmux/SUITE, whole or not at all
#   tmux-versions.sh run SUITE COMMAND...   runs a command for which that tmux is the machine's own
#   tmux-versions.sh test SUITE [FILTER]... installs it and runs the tests that talk to tmux on it
# Each is unpacked with the libraries that it needs, its C library too, and made to use those: so
# /proc shows a program named tmux, as for the machine's own.
set -eu
cd "$(dirname "$0")/../.."

# A directory that every Debian has and no test needs: where `run` mounts a suite's tree. The
# throw-away hosts of the tests hide the directories in which this project can be.
MOUNTED=/usr/games

say() { printf 'tmux-versions: %s\n' "$*" >&2; }

# apt_of DIRECTORY ARGUMENT...: apt-get for a machine that has no package installed and knows one
# suite only.
apt_of() {
    root=$1
    shift
    apt-get -q -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State="$root" -o Dir::State::lists="$root/lists" \
        -o Dir::State::status="$root/status" -o Dir::Cache="$root/cache" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# fetch DIRECTORY SUITE: the packages of tmux and of what it depends on, from the mirror that this
# machine's apt uses. Backports stand on the suite that they are for.
fetch() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    : >"$1/status"
    signed=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(tests/boot/bootbox mirror)
    printf "deb [signed-by=$signed] $mirror %s main\n" "$2" "${2%-backports}" | sort -u \
        >"$1/sources.list"
    apt_of "$1" update &&
        apt_of "$1" install --download-only -y --no-install-recommends -t "$2" tmux
}

# adopt TREE PLACE NAME: NAME is the tree's tmux, which uses the libraries of the tree in PLACE.
adopt() {
    cp "$1/usr/bin/tmux" "$1/$3"
    linker=$(patchelf --print-interpreter "$1/$3")
    # In older suites it is a link: beside its target, and from /lib64 by an absolute path.
    linker=$(find "$1" -name "${linker##*/}" ! -path "$1/lib64/*" | head -n 1)
    libraries=$(find "$1" -name '*.so*' -printf '%h\n' | sort -u | sed "s|^$1|$2|" | paste -sd :)
    patchelf --set-interpreter "$2${linker#"$1"}" --force-rpath --set-rpath "$libraries" "$1/$3"
}

# install_one SUITE: target/tmux/SUITE/bin/tmux is the program; tmux-mounted is for MOUNTED.
install_one() (
    place=$PWD/target/tmux/$1
    if "$place/bin/tmux" -V >/dev/null 2>&1; then return 0; fi
    say "unpacking the tmux of Debian $1 into target/tmux/$1"
    mkdir -p target/tmux
    work=$(mktemp -d target/tmux/part.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    fetch "$PWD/$work" "$1" >"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        return 1
    }
    mkdir "$work/tree"
    for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/tree"; done
    mkdir -p "$work/tree/bin"
    adopt "$work/tree" "$place" bin/tmux
    adopt "$work/tree" "$MOUNTED" tmux-mounted
    chmod 755 "$work/tree"
    rm -rf "$place"
    mv -T "$work/tree" "$place"
    say "Debian $1: $("$place/bin/tmux" -V)"
)

# run_on SUITE COMMAND...
run_on() {
    tree=$PWD/target/tmux/$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount --propagation private sh -c '
        mount --bind "$1" "$2" && mount --bind "$2/tmux-mounted" "$3" && shift 3 && exec "$@"' \
        sh "$tree" "$MOUNTED" "$(readlink -f "$(command -v tmux)")" "$@"
}

# test_on SUITE [FILTER]...: what cannot run is reported as the tests report it.
test_on() {
    suite=$1
    shift
    lack=
    if [ "$(id -u)" != 0 ]; then
        lack='needs root'
    elif ! install_one "$suite"; then
        lack="that tmux could not be unpacked"
    elif ! run_on "$suite" tmux -V >/dev/null 2>&1; then
        lack='no private mount namespace'
    fi
    if [ -n "$lack" ]; then
        echo "LACKS: the tests of cli, tmux and set_ups on Debian $suite's tmux: $lack" |
            tee -a "${TL_LACKS_FILE:-/dev/null}" >&2
        return 0
    fi
    say "the tests of cli, tmux and set_ups on $(run_on "$suite" tmux -V), of Debian $suite"
    if cargo nextest --version >/dev/null 2>&1; then
        run_on "$suite" cargo nextest run --no-tests=pass -E 'kind(test) and test(/^(cli|tmux|set_ups)::/)' "$@"
    elif [ $# = 0 ]; then
        run_on "$suite" cargo test --test integration -- cli:: tmux:: set_ups::
    fi
}

case ${1-}:$# in
install:*)
    shift
    for suite; do install_one "$suite"; done
    ;;
run:[3-9] | run:[1-9][0-9])
    shift
    run_on "$@"
    ;;
test:[2-9] | test:[1-9][0-9])
    shift
    test_on "$@"
    ;;
*)
    echo "usage: $0 install SUITE... | run SUITE COMMAND... | test SUITE [FILTER]..." >&2
    exit 2
    ;;
esac
