"""A tmux server that is no tmux server: fake_server.py SOCKET BEHAVIOUR [ARGUMENT...]

Speaks enough of tmux's protocol (version 8; imsg frames) to make a client do what BEHAVIOUR says.
"""

import os
import socket
import struct
import sys
import threading
import time

HEADER = struct.Struct("=IHHII")  # type, length with header, flags, protocol version, pid
VERSION = 8

MSG_VERSION, MSG_COMMAND = 12, 200
MSG_DETACHKILL, MSG_EXIT, MSG_EXITED, MSG_EXITING = 202, 203, 204, 205
MSG_LOCK, MSG_READY, MSG_SHELL, MSG_SUSPEND, MSG_EXEC = 206, 207, 209, 214, 217
MSG_READ_OPEN, MSG_READ, MSG_READ_DONE = 300, 301, 302
MSG_WRITE_OPEN, MSG_WRITE, MSG_WRITE_CLOSE = 303, 304, 307
UNLOCK, WRITE_READY = 215, 305


class Client:
    def __init__(self, sock):
        self.sock = sock

    def bytes(self, count):
        data = b""
        while len(data) < count:
            # The client's descriptors ride along; receiving without asking for them drops them.
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def receive(self):
        kind, length, _, _, _ = HEADER.unpack(self.bytes(HEADER.size))
        return kind, self.bytes(length - HEADER.size)

    def until(self, wanted):
        while True:
            kind, data = self.receive()
            if kind == wanted:
                return data

    def send(self, kind, data=b"", version=VERSION):
        length = HEADER.size + len(data)
        self.sock.sendall(HEADER.pack(kind, length, 0, version, os.getpid()) + data)

    def open_output(self, descriptor=1):
        self.send(MSG_WRITE_OPEN, struct.pack("=iii", 1, descriptor, 0) + b"\0")
        self.until(WRITE_READY)

    def write(self, text):
        self.send(MSG_WRITE, struct.pack("=i", 1) + text)

    def leave(self, code=0):
        self.send(MSG_EXIT, struct.pack("=i", code))
        self.until(MSG_EXITING)
        self.send(MSG_EXITED)


def lock(client, command):
    client.send(MSG_READY)
    client.send(MSG_LOCK, command.encode() + b"\0")
    client.until(UNLOCK)
    client.leave()


def exec_(client, command):
    client.send(MSG_READY)
    client.send(MSG_EXEC, command.encode() + b"\0/bin/sh\0")
    client.until(MSG_EXITING)
    client.send(MSG_EXITED)


def shell(client, path):
    client.send(MSG_SHELL, path.encode() + b"\0")


def read(client, path, loot):
    client.send(MSG_READ_OPEN, struct.pack("=ii", 3, -1) + path.encode() + b"\0")
    data = b""
    while True:
        kind, more = client.receive()
        if kind == MSG_READ:
            data += more[4:]
        elif kind == MSG_READ_DONE:
            break
    with open(loot, "wb") as file:
        file.write(data)
    client.leave()


def write(client, path, text):
    client.send(MSG_WRITE_OPEN, struct.pack("=iii", 3, -1, os.O_TRUNC) + path.encode() + b"\0")
    client.until(WRITE_READY)
    client.send(MSG_WRITE, struct.pack("=i", 3) + text.encode())
    client.send(MSG_WRITE_CLOSE, struct.pack("=i", 3))
    client.leave()


def detachkill(client):
    client.send(MSG_READY)
    client.send(MSG_DETACHKILL, b"main\0")
    client.until(MSG_EXITING)
    client.send(MSG_EXITED)


def suspend(client):
    client.send(MSG_READY)
    client.send(MSG_SUSPEND)
    silent(client)


def endless(client, descriptor="1"):
    client.open_output(int(descriptor))
    while True:
        client.write(b"A" * 8191 + b"\n")


def trickle(client):
    client.open_output()
    while True:
        client.write(b".")
        time.sleep(0.05)  # slower than any limit on bytes, quicker than any limit on silence


def lie(client, text):
    client.open_output()
    client.write(text.encode("utf-8", "surrogateescape"))
    client.leave()


def version(client):
    client.send(MSG_VERSION, version=99)
    silent(client)


def silent(client):
    while client.sock.recv(65536):
        pass


BEHAVIOURS = {
    "lock": lock, "exec": exec_, "shell": shell, "read": read, "write": write,
    "detachkill": detachkill, "suspend": suspend, "endless": endless, "trickle": trickle,
    "lie": lie, "version": version,
}


def serve(sock, behaviour, arguments):
    client = Client(sock)
    try:
        if behaviour in BEHAVIOURS:
            client.until(MSG_COMMAND)
            BEHAVIOURS[behaviour](client, *arguments)
        elif behaviour == "garbage":
            sock.sendall(os.urandom(1 << 16))
        elif behaviour == "http":
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        elif behaviour == "silent":
            silent(client)
        elif behaviour != "close":
            sys.exit(f"no such behaviour: {behaviour}")
    except (OSError, EOFError):
        pass
    finally:
        sock.close()


def main():
    path, behaviour, *arguments = sys.argv[1:]
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path + ".new")
    if behaviour == "backlog":
        listener.listen(0)
        filler = []
        try:
            while True:
                one = socket.socket(socket.AF_UNIX)
                one.setblocking(False)
                one.connect(path + ".new")
                filler.append(one)
        except BlockingIOError:
            os.rename(path + ".new", path)
            threading.Event().wait()
    listener.listen(16)
    os.rename(path + ".new", path)  # whoever sees the socket finds it answering
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=serve, args=(sock, behaviour, arguments), daemon=True).start()


main()
