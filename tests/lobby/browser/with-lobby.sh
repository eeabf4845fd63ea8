#!/bin/sh
# Runs a scenario of this folder with a lobby of its own: a private tmux server, home and state, with sessions of
# stand-ins for Claude Code.
#
#     with-lobby.sh DIRECTORY-OF-THE-PROGRAMS SCENARIO [ARGUMENT]...
set -eu
here=$(cd "$(dirname "$0")" && pwd)
programs=$(cd "$1" && pwd)
scenario=$2
shift 2
room=$(mktemp -d /tmp/tl-lobby-XXXXXX)
mkdir -p "$room/home/.local/bin" "$room/home/code/shop/.git" "$room/home/code/api" "$room/tmux" "$room/state"
cp "$here/stub-claude" "$room/home/.local/bin/claude"
printf 'ref: refs/heads/checkout\n' >"$room/home/code/shop/.git/HEAD"
: >"$room/config.toml"
unset TMUX
export HOME="$room/home" TMUX_TMPDIR="$room/tmux" SHELL=/bin/bash LANG=C.UTF-8 PS1='ann@dev:\w$ ' \
    PATH="$programs:$room/home/.local/bin:/usr/local/bin:/usr/bin:/bin"
lobby=
end() {
    [ -z "$lobby" ] || kill "$lobby" 2>/dev/null || true
    server=$(tmux display-message -p '#{pid}' 2>/dev/null || true)
    [ -z "$server" ] || kill "$server"
    rm -rf "$room"
}
trap end EXIT

# agent NAME DIRECTORY STATUS TITLE [WHAT-IT-WAITS-FOR]
agent() {
    tmux new-session -d -s "$1" -c "$HOME/code/$2" -x 120 -y 34 -e "STATUS=$3" -e "TITLE=$4" -e "WAITING_FOR=${5:-}" \
        -- /bin/sh "$HOME/.local/bin/claude" --session-id "0d0a8f5e-3c1b-4f6e-9a57-0000000000$(printf %02d "${#1}")"
}
tmux new-session -d -s alpha -c "$HOME/code/api" -x 120 -y 34
agent checkout shop waiting "Keep the query through the login" "permission prompt"
agent orders shop busy "Write the migration for orders"
agent docs api idle "Describe the new limits"
set -- "$@"
"$programs/lobby" open --json --no-browser --state-dir "$room/state" --config "$room/config.toml" >"$room/out" &
lobby=$!
while ! [ -s "$room/out" ]; do sleep 0.1; done
url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$room/out")
PERSIST="$programs/persist --state-dir $room/state --config $room/config.toml" node "$here/$scenario" "$url" "$@"
