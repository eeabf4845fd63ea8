#!/bin/sh
# What `make run` runs: saves the caller's tmux sessions and says how they come back. Where no
# tmux server runs, shows the whole of it on a private socket instead: two sessions saved, killed,
# restored and listed. On a terminal it ends with the sessions in a browser, until Ctrl-C.
set -eu

bin=${1:?usage: demo.sh DIRECTORY-OF-THE-PROGRAMS}
persist=$bin/persist

# page OPTION...: shows the sessions in a browser, if a person is there.
page() {
    echo "In a browser:                 $bin/lobby open"
    if [ -t 0 ] && [ -t 1 ]; then
        echo
        trap : INT # it ends the page alone
        "$bin/lobby" open "$@"
    fi
}

unset TMUX # persist, too, looks at the default server, from whichever this is called
if tmux list-sessions >/dev/null 2>&1; then
    "$persist" save
    echo
    "$persist" list
    echo
    echo "See what a restore would do:  $persist show"
    echo "After a crash or a reboot:    $persist restore"
    page
    exit 0
fi

echo "No tmux server is running: here is a demonstration on a private one."
room=$(mktemp -d)
export TMUX_TMPDIR="$room"
mkdir "$room/state"

server() { tmux -f /dev/null display-message -p '#{pid}' 2>/dev/null || :; }
end_server() {
    pid=$(server)
    [ -z "$pid" ] || kill -9 "$pid"
    while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
trap 'end_server; rm -rf "$room"' EXIT
trap 'exit 1' INT TERM
step() { printf '\n$ %s\n' "$*"; }
saved() { "$persist" "$@" --state-dir "$room/state"; }
sessions() { tmux list-windows -a -F '#{session_name}: window #{window_index}, #{window_panes} pane(s), in #{pane_current_path}'; }

tmux -f /dev/null new-session -d -s notes -x 120 -y 40 -c "$HOME"
tmux -f /dev/null new-session -d -s 'web app' -x 120 -y 40 -c /usr
tmux split-window -h -t '=web app:' -c /etc
step "tmux list-windows"; sessions
step "persist save"; saved save
step "kill -9 the tmux server"; end_server
tmux list-sessions 2>&1 || :
step "persist show"; saved show
step "persist restore"; saved restore
step "tmux list-windows"; sessions
step "persist restore   (again: nothing left to do)"; saved restore
echo
page --state-dir "$room/state"
printf '\nTo save your own sessions: start tmux, then run make run again, or %s save\n' "$persist"
