#!/usr/bin/env python3
"""Makes docs/picture.svg from a real run on private tmux servers: two agents at work, kill -9 of their
tmux server, `persist restore`, the same agents on the same conversations. The agents are stand-ins
(stub-claude, stub-codex); everything else is real.

    docs/picture/record.py DIRECTORY-OF-THE-PROGRAMS

An outer tmux server is the terminal: it runs a shell in which the commands are typed, and its screen
is captured with colours. Nothing outside a temporary directory is touched.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLUMNS, ROWS = 96, 10
CLAUDE = "0d0a8f5e-3c1b-4f6e-9a57-2f1c6b7d8e90"
CODEX = "01983e2a-7b10-7c3d-8e4f-5a6b7c8d9e0f"
MINTED = "2025/07/24"  # the day in CODEX, a UUIDv7

TALK = {
    "claude": [
        "> the login redirect loses the query",
        "It was dropped in auth/redirect.ts.",
        "Fixed, with a test; 12 tests pass.",
    ],
    "codex": [
        "> write the migration for orders",
        "Added 0042_orders.sql and its",
        "rollback. Dry run: 3 tables.",
    ],
}


class Run:
    """A temporary home with agents in it, an inner tmux server and an outer one."""

    def __init__(self, programs):
        self.room = Path(tempfile.mkdtemp(prefix="tl-picture-", dir="/tmp"))
        self.home = self.room / "home"
        work = self.home / "code" / "shop"
        for path in [work, self.home / ".local/bin", self.room / "inner", self.room / "outer"]:
            path.mkdir(parents=True)
        for stub in ["claude", "codex"]:
            shutil.copy(HERE / f"stub-{stub}", self.home / ".local/bin" / stub)
        self.env = {
            "HOME": str(self.home),
            "USER": "ann",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PATH": f"{programs}:{self.home}/.local/bin:/usr/local/bin:/usr/bin:/bin",
            "XDG_STATE_HOME": str(self.home / ".state"),
            "PS1": r"\[\e[32m\]ann@dev\[\e[0m\]:\w$ ",
        }
        (self.home / ".tmux.conf").write_text("set -g status-right ''\n")
        transcripts(self.home, work)
        self.work = work

    def tmux(self, server, *args):
        env = {**self.env, "TMUX_TMPDIR": str(self.room / server)}
        done = subprocess.run(
            ["tmux", *args], env=env, cwd=self.work, capture_output=True, text=True
        )
        return done.stdout

    def start(self):
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        agent = ["/bin/sh", str(self.home / ".local/bin/claude"), "--session-id", CLAUDE]
        inner = ["new-session", "-d", "-s", "shop", "-n", "agents", *size, "--", *agent]
        self.tmux("inner", *inner)
        self.tmux("inner", "split-window", "-h", "-t", "shop", "--", str(self.home / ".local/bin/codex"))
        inner_dir = self.room / "inner"
        shell = ["env", "-u", "TMUX", f"TMUX_TMPDIR={inner_dir}", "bash", "--norc", "--noprofile"]
        self.tmux("outer", "new-session", "-d", "-s", "terminal", *size, "-c", str(self.work), "--", *shell)
        self.tmux("outer", "set-option", "-g", "status", "off")
        self.until("shop$")

    def type(self, line, expect):
        self.tmux("outer", "send-keys", "-l", line)
        self.tmux("outer", "send-keys", "Enter")
        self.until(expect)

    def screen(self):
        return self.tmux("outer", "capture-pane", "-e", "-N", "-p")

    def until(self, expect):
        """Waits until the screen shows a text, and for a moment no longer changes."""
        last = None
        for _ in range(100):
            now = self.screen()
            if expect in re.sub(r"\x1b\[[0-9;]*m", "", now) and now == last:
                return
            last = now
            time.sleep(0.15)
        raise SystemExit(f"the terminal never showed {expect!r}:\n{last}")

    def crash(self):
        pids = self.tmux("inner", "list-panes", "-a", "-F", "#{pane_pid}").split()
        server = self.tmux("inner", "display-message", "-p", "#{pid}").split()
        for pid in server:
            os.kill(int(pid), signal.SIGKILL)
        while any(os.path.exists(f"/proc/{pid}") and not is_zombie(pid) for pid in pids + server):
            time.sleep(0.05)

    def end(self):
        for server in ["inner", "outer"]:
            for pid in self.tmux(server, "list-panes", "-a", "-F", "#{pane_pid} #{pid}").split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.3)
        shutil.rmtree(self.room, ignore_errors=True)


def without_traces(text, room):
    """Names a user and a home instead of the account and the directory of this run."""
    account = subprocess.check_output(["id", "-un"], text=True).strip()
    text = re.sub(re.escape(str(room / "inner")) + r"/tmux-\d+", "/tmp/tmux-1000", text)
    text = text.replace(str(room / "home"), "/home/ann")
    # After the end of a colour there is no word boundary.
    return re.sub(rf"(?m)(^|\s|\x1b\[[0-9;]*m){re.escape(account)}:", r"\1ann:", text)


def is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] in "ZX"
    except FileNotFoundError:
        return True


def transcripts(home, work):
    slug = re.sub("[^A-Za-z0-9]", "-", str(work.resolve()))
    project = home / ".claude/projects" / slug
    rollouts = home / ".codex/sessions" / MINTED
    (home / ".codex/thread-writer-locks").mkdir(parents=True)
    for path in [project, rollouts]:
        path.mkdir(parents=True)

    def lines(agent):
        return "".join(f'{{"type":"user","cwd":"{work}","shown":"{line}"}}\n' for line in TALK[agent])

    (project / f"{CLAUDE}.jsonl").write_text(lines("claude"))
    (rollouts / f"rollout-2025-07-24T10-00-00-{CODEX}.jsonl").write_text(lines("codex"))


# --- terminal text to SVG ---------------------------------------------------------------------------

COLOURS = ["#1e2127", "#e06c75", "#98c379", "#d19a66", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4"]
BACKGROUND, FOREGROUND = "#1e2127", "#c8ccd4"
WIDTH, HEIGHT = 8.4, 18


def colour(number):
    if number < 16:
        return COLOURS[number % 8]
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    number -= 16
    levels = [0, 95, 135, 175, 215, 255]
    return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])


def apply(codes, style):
    codes = [int(code or 0) for code in codes.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = {}
        elif code in (1, 2, 7):
            style = {**style, {1: "bold", 2: "dim", 7: "reverse"}[code]: True}
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = {**style, "fg": COLOURS[code % 10]}
        elif 40 <= code <= 47:
            style = {**style, "bg": COLOURS[code - 40]}
        elif code in (38, 48) and codes[:1] == [5]:
            style = {**style, "fg" if code == 38 else "bg": colour(codes[1])}
            del codes[:2]
        elif code in (39, 49):
            style = {key: value for key, value in style.items() if key != ("fg" if code == 39 else "bg")}
    return style


def runs(line):
    """A line as pieces of (text, style)."""
    style, out = {}, []
    for piece in re.split(r"(\x1b\[[0-9;]*m|\x1b\(B|\x0e|\x0f)", line):
        if piece.startswith("\x1b["):
            style = apply(piece[2:-1], style)
        elif piece and not piece.startswith(("\x1b", "\x0e", "\x0f")):
            out.append((piece, style))
    return out


def screen_svg(text, top):
    out = []
    for row, line in enumerate(text.split("\n")[:ROWS]):
        column = 0
        y = top + row * HEIGHT
        for piece, style in runs(line):
            fg, bg = style.get("fg", FOREGROUND), style.get("bg")
            if style.get("reverse"):
                fg, bg = bg or BACKGROUND, style.get("fg", FOREGROUND)
            x, width = 16 + column * WIDTH, len(piece) * WIDTH
            if bg:
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HEIGHT}" fill="{bg}"/>')
            more = ' font-weight="bold"' if style.get("bold") else ""
            more += ' opacity="0.6"' if style.get("dim") else ""
            for words in re.finditer(r"\S+(?: \S+)*", piece):  # SVG shows several spaces as one
                x, width = 16 + (column + words.start()) * WIDTH, len(words[0]) * WIDTH
                out.append(
                    f'<text x="{x:.1f}" y="{y + 13.5}" textLength="{width:.1f}" fill="{fg}"{more}>'
                    f"{escape(words[0])}</text>"
                )
            column += len(piece)
    return out


def picture(frames):
    width = round(32 + COLUMNS * WIDTH)
    body, top = [], 0
    for caption, text in frames:
        height = ROWS * HEIGHT + 16
        body.append(f'<text x="4" y="{top + 16}" class="caption">{escape(caption)}</text>')
        body.append(f'<rect x="0" y="{top + 26}" width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>')
        body += screen_svg(text, top + 34)
        top += height + 46
    style = (
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}"
        ".caption{font:600 14px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#8b949e}"
    )
    title = "Two agents in tmux; the server is killed; persist restore brings both back"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top - 14}" width="{width}" '
        f'height="{top - 14}" role="img" aria-label="{title}">\n<title>{title}</title>\n'
        f"<style>{style}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    run = Run(Path(sys.argv[1]).resolve())
    try:
        run.start()
        run.type("persist save >/dev/null; tmux attach", "codex")
        frames = [("Two agents at work, each on its conversation", run.screen())]
        run.crash()
        run.until("[server exited unexpectedly]")
        run.type("reset", "shop$")
        run.type("tmux ls", "no server")
        run.type("persist restore", "restored")
        frames.append(("After kill -9 of the tmux server", run.screen()))
        run.type("tmux attach", "codex")
        run.until("Dry run")
        frames.append(("The same panes, the same conversations", run.screen()))
        frames = [(caption, without_traces(text, run.room)) for caption, text in frames]
        (HERE.parent / "picture.svg").write_text(picture(frames))
        for caption, text in frames:
            print(f"--- {caption}")
            print("\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")))
    finally:
        run.end()


main()
