#!/usr/bin/python3
"""A browser's connections to the lobby, for scripts: HTTPS and WebSockets with a throw-away authority.

  client.py get URL [OPTION]...            print the status, the headers and the body
  client.py post URL JSON [OPTION]...      the same, of what our own page would send
  client.py sessions URL [OPTION]...       print the names of the sessions on the page, one a line
  client.py socket URL TEXT [OPTION]...    open a WebSocket, send TEXT, print what happens until it is closed
  client.py view URL SESSION TEXT [OPTION]...   open a view, type TEXT and Enter, print what happens until it is closed

  --ca FILE           the authority that the certificate must be from
  --user NAME:WORD    log in at the web server
  --header LINE       one more header, as it stands; can be repeated
  --unix PATH         connect to a Unix socket, in plain HTTP
  --to HOST:PORT      connect there, in plain HTTP

`view` and `socket` print lines `SECONDS EVENT ...` as they happen: welcome JSON, text TEXT, output TEXT, closed CODE. With --return it goes on
with the view whenever it is closed, as a page does, until the file that --until names exists.
"""
import argparse, base64, json, os, secrets, socket, ssl, struct, sys, time
from urllib.parse import urlsplit


def connect(a):
    url = urlsplit(a.url)
    if a.unix:
        s = socket.socket(socket.AF_UNIX)
        s.connect(a.unix)
        return s
    if a.to:
        host, port = a.to.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=20)
    s = socket.create_connection((url.hostname, url.port or 443), timeout=20)
    return ssl.create_default_context(cafile=a.ca).wrap_socket(s, server_hostname=url.hostname)


def request(a, path, lines=(), body=None):
    url = urlsplit(a.url)
    lines = ["%s %s HTTP/1.1" % ("POST" if body else "GET", path), "Host: " + url.netloc, *lines, *a.header]
    if body:
        lines += ["Content-Type: application/json", "Content-Length: %d" % len(body),
                  "Origin: %s://%s" % (url.scheme, url.netloc)]
    if a.user:
        lines.append("Authorization: Basic " + base64.b64encode(a.user.encode()).decode())
    s = connect(a)
    s.settimeout(20)
    s.sendall(("\r\n".join(lines) + "\r\n\r\n" + (body or "")).encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            raise ConnectionError("closed before an answer: %r" % data)
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return s, int(head.split()[1]), head.decode("latin-1"), rest


class WebSocket:
    def __init__(self, a, path):
        url = urlsplit(a.url)
        lines = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: " + base64.b64encode(secrets.token_bytes(16)).decode()]
        if not any(line.lower().startswith("origin:") for line in a.header):
            lines.append("Origin: %s://%s" % (url.scheme, url.netloc))
        self.s, self.status, head, self.data = request(a, path, lines)
        if self.status != 101:
            raise ConnectionError("status %d" % self.status)

    def send(self, kind, payload):
        n, mask = len(payload), secrets.token_bytes(4)
        length = bytes([0x80 | n]) if n < 126 else b"\xfe" + struct.pack(">H", n)
        self.s.sendall(bytes([0x80 | kind]) + length + mask +
                       bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def take(self, n):
        while len(self.data) < n:
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.data += more
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def next(self):
        first, length = self.take(2)
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        payload = self.take(length)
        if first & 15 == 9:
            self.send(10, payload)
        return first & 15, payload


def sessions(a):
    page = WebSocket(a, a.below + "/api/events")
    page.s.settimeout(20)
    while True:
        kind, payload = page.next()
        if kind == 1 and "sessions" in (said := json.loads(payload)):
            return {row["name"]: row["id"] for row in said["sessions"]}
        if kind == 8:
            raise ConnectionError("closed")


def happened(*words):
    print("%.3f" % time.time(), *words, flush=True)


class View:
    def __init__(self, a):
        self.a, self.number, self.shown, self.typed = a, secrets.token_hex(16), 0, False
        self.session = sessions(a)[a.session]

    def follow(self):
        """Until it is closed, or the file is there."""
        page = WebSocket(self.a, self.a.below + "/api/terminal")
        page.send(1, json.dumps({"type": "hello", "view": self.number, "session": self.session, "columns": 80,
                                 "rows": 24, "received": self.shown}).encode())
        page.s.settimeout(0.5)
        while not (self.a.until and os.path.exists(self.a.until)):
            try:
                kind, payload = page.next()
            except socket.timeout:
                continue
            if kind == 8:
                return happened("closed", struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else "-")
            if kind == 1:
                said = json.loads(payload)
                happened(said["type"], payload.decode())
                if said["type"] == "welcome" and not said["resumed"]:
                    self.shown = 0
                if not self.typed:
                    self.typed = True
                    page.send(2, b"\x00" + self.a.text.encode() + b"\r")
            if kind == 2 and payload[0] == 0:
                self.shown += len(payload) - 1
                page.send(2, b"\x01" + struct.pack("<Q", self.shown))
                happened("output", payload[1:].decode(errors="replace").encode("unicode_escape").decode())


def follow_socket(a):
    page = WebSocket(a, urlsplit(a.url).path or "/")
    page.s.settimeout(None)
    page.send(1, a.session.encode())
    while True:
        kind, payload = page.next()
        if kind == 1:
            happened("text", payload.decode())
        if kind == 8:
            return happened("closed", struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else "-")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["get", "post", "sessions", "socket", "view"])
    parser.add_argument("url")
    parser.add_argument("session", nargs="?")
    parser.add_argument("text", nargs="?", default="")
    for option in ("--ca", "--user", "--unix", "--to", "--until"):
        parser.add_argument(option)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--return", action="store_true", dest="again")
    a = parser.parse_args()
    a.below = urlsplit(a.url).path.rstrip("/")
    if a.command in ("get", "post"):
        s, status, head, rest = request(a, urlsplit(a.url).path or "/", ["Connection: close"], a.session)
        try:
            while more := s.recv(65536):
                rest += more
        except OSError:
            pass
        print(status)
        print(head)
        print(rest.decode(errors="replace"))
        return
    if a.command == "sessions":
        print("\n".join(sorted(sessions(a))))
        return
    if a.command == "socket":
        return follow_socket(a)
    page = View(a)
    while True:
        try:
            page.follow()
        except (OSError, ConnectionError) as error:
            happened("closed", "-", repr(error))
        if not a.again or (a.until and os.path.exists(a.until)):
            return
        time.sleep(0.2)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ConnectionError) as error:
        print("client.py: %s" % error, file=sys.stderr)
        sys.exit(1)
