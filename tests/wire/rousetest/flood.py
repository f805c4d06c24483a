# SPDX-License-Identifier: BSD-2-Clause
"""Attacks on an HTTP/2 front (RELIABILITY group C), each a generator of bytes, and who plays them.

    seen = assault(port, rapid_reset(host, 20000))
    assert seen.ended and seen.calmed

Every attack is bounded: in streams or frames by its generator, in time by assault().
"""

import collections
import pathlib
import select
import socket
import time

from rousetest import frames as f

WINDOW_MAX = (1 << 31) - 1


class Assault:
    """One hostile connection: what it sent, what it was told, and how it ended."""

    def __init__(self, port, settings=(), source=None, greet=True):
        """greet=False: the preface only; nothing is read, nothing acknowledged."""
        self.sock = socket.create_connection(("127.0.0.1", port), 10,
                                             source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0               # bytes that the kernel took
        self.ended = None           # fin or rst: the gateway's doing
        self.took = None            # seconds until then
        self.frames = collections.Counter()     # name -> how many came
        self.resets = collections.Counter()     # code name -> how many came
        self.goaways = []           # codes
        self.window = 65535         # bytes of bodies that may be sent; a test counts down
        self.data = collections.Counter()       # stream -> body bytes
        self.answered = set()       # streams whose answer's head came
        self.finished = set()       # streams that ended well
        self._input = bytearray()
        self._began = time.monotonic()
        self.write(f.PREFACE + f.settings(*settings))
        if not greet:
            return
        self.read_until(lambda: self.frames["SETTINGS"])
        self.write(f.settings_ack())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    @property
    def calmed(self):
        return f.ENHANCE_YOUR_CALM in self.goaways

    @property
    def refused(self):
        return self.ended or self.goaways

    def _over(self, how):
        self.ended = self.ended or how
        self.took = self.took or time.monotonic() - self._began

    def write(self, data, seconds=10):
        """All of it, if the peer lives and takes it in time; reads nothing."""
        self.sock.settimeout(seconds)
        try:
            self.sock.sendall(data)
            self.sent += len(data)
        except TimeoutError:
            return False
        except OSError:
            self._over("rst")
            return False
        return True

    def _learn(self, frame):
        name = f.TYPES[frame.type] if frame.type < len(f.TYPES) else "unknown"
        self.frames[name] += 1
        if frame.type == f.RST_STREAM:
            self.resets[f.code_name(frame.code)] += 1
        elif frame.type == f.GOAWAY:
            self.goaways.append(frame.code)
        elif frame.type == f.WINDOW_UPDATE and not frame.stream:
            self.window += frame.increment
        elif frame.type == f.DATA:
            self.data[frame.stream] += len(frame.payload)
        elif frame.type == f.HEADERS:
            self.answered.add(frame.stream)
        if frame.type in (f.DATA, f.HEADERS) and frame.has(f.END_STREAM):
            self.finished.add(frame.stream)

    def read(self):
        """What is there now; False: the end."""
        try:
            got = self.sock.recv(1 << 18)
        except (BlockingIOError, TimeoutError):
            return True
        except OSError:
            self._over("rst")
            return False
        if not got:
            self._over("fin")
            return False
        self._input += got
        while (frame := f.parse(self._input)) is not None:
            self._learn(frame)
        return True

    def read_until(self, done, seconds=20):
        """Reads until done() or the end; False: time is up."""
        deadline = time.monotonic() + seconds
        while not done() and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if select.select([self.sock], [], [], left)[0]:
                self.sock.setblocking(False)
                self.read()
        return bool(done())

    def play(self, chunks, read=True, seconds=10):
        """Sends as fast as it is taken, reading meanwhile or not at all, to the end of either."""
        deadline = time.monotonic() + seconds
        self.sock.setblocking(False)
        waiting = b""
        for chunk in chunks:
            waiting = chunk
            while waiting and not self.ended and time.monotonic() < deadline:
                waiting = self._push(waiting, read)
            if self.ended or waiting:
                break
        if read:
            self.read_until(lambda: False, max(0, min(0.5, deadline - time.monotonic())))
        return self

    def _push(self, data, read):
        can_read, can_write, _ = select.select([self.sock] if read else [], [self.sock], [], 0.2)
        if can_read and not self.read():
            return b""
        if not can_write:
            return data
        try:
            put = self.sock.send(data)
        except BlockingIOError:
            return data
        except OSError:
            self._drain()
            return b""
        self.sent += put
        return data[put:]

    def _drain(self):
        """The gateway has closed: what it said before."""
        while not self.ended and self.read():
            if not select.select([self.sock], [], [], 1)[0]:
                self._over("rst")


def assault(port, chunks, read=True, seconds=10, settings=(), source=None):
    with Assault(port, settings, source) as one:
        return one.play(chunks, read, seconds)


# ---- attacks


def request(host, method="GET", path="/", more=()):
    return f.block(f.request_fields(method, path, host, more=more))


def streams(count, first=1):
    return range(first, first + 2 * count, 2)


def batches(pieces, size=32):
    """Joins small pieces: fewer system calls for the attacker."""
    waiting = []
    for piece in pieces:
        waiting.append(piece)
        if len(waiting) == size:
            yield b"".join(waiting)
            waiting = []
    yield b"".join(waiting)


def rapid_reset(host, count):
    """C2: each request is withdrawn at once (CVE-2023-44487)."""
    head = request(host)
    return batches(f.headers(i, head, f.END_STREAM | f.END_HEADERS) + f.rst_stream(i)
                   for i in streams(count))


# C3: a stream that we are made to reset (CVE-2025-8671), in six ways.
def _window_zero(host, i):
    return f.headers(i, request(host, "POST")) + f.window_update(i, 0)


def _window_overflow(host, i):
    return f.headers(i, request(host), f.END_STREAM | f.END_HEADERS) + \
        f.window_update(i, WINDOW_MAX)


def _after_the_end(host, i):
    return f.headers(i, request(host), f.END_STREAM | f.END_HEADERS) + f.data(i, b"more")


def _bad_priority(host, i):
    return f.headers(i, request(host), f.END_STREAM | f.END_HEADERS) + f.priority(i, depends=i)


def _wrong_length(host, i):
    return f.headers(i, request(host, "POST", more=[("content-length", "5")])) + \
        f.data(i, b"abc", f.END_STREAM)


def _malformed(host, i):
    return f.headers(i, request(host, more=[("Upper", "case")]), f.END_STREAM | f.END_HEADERS)


MADE_TO_RESET = {"window +0": _window_zero, "window overflow": _window_overflow,
                 "frame after END_STREAM": _after_the_end, "bad PRIORITY": _bad_priority,
                 "length mismatch": _wrong_length, "malformed field": _malformed}


def made_to_reset(how, host, count):
    return batches((MADE_TO_RESET[how](host, i) for i in streams(count)), 16)


def continuations(host, fragment, count):
    """C5: a block that does not end (CVE-2024-27316)."""
    yield f.headers(1, request(host), f.END_STREAM)
    yield from batches((f.continuation(1, fragment, 0) for _ in range(count)), 64)


def repeat(piece, count, size=64):
    """C7, C8: the same small frame again and again."""
    whole = piece * size
    for _ in range(count // size):
        yield whole


# C7 and C8: frames that cost us something and move nothing.  What comes first opens a stream.
FLOODS = {
    "PING": (b"", f.ping()),
    "SETTINGS": (b"", f.settings((f.INITIAL_WINDOW_SIZE, 65535))),
    "empty SETTINGS": (b"", f.settings()),
    "table size": (b"", f.settings((f.HEADER_TABLE_SIZE, 0)) +
                   f.settings((f.HEADER_TABLE_SIZE, 4096))),
    "unasked SETTINGS ACK": (b"", f.settings_ack()),
    "PRIORITY": (b"", f.priority(1, depends=3)),
    "WINDOW_UPDATE of the connection": (b"", f.window_update(0, 1)),
    "WINDOW_UPDATE of a stream": ("POST", f.window_update(1, 1)),
    "empty DATA": ("POST", f.data(1)),
    "DATA of one byte, 255 of padding": ("POST", f.data(1, b"x", pad=255)),
    "unknown frames": (b"", f.frame(0xbb, 0, 0, b"x")),
    "RST_STREAM of closed streams": ("reset", f.rst_stream(1)),
}


def flood(name, host, count):
    first, piece = FLOODS[name]
    if first == "POST":
        yield f.headers(1, request(host, "POST"))
    elif first == "reset":
        yield f.headers(1, request(host), f.END_STREAM | f.END_HEADERS) + f.rst_stream(1)
    yield from repeat(piece, count)


def many_entries(count=2700):
    """C7: one SETTINGS frame with thousands of entries."""
    yield f.settings(*[(f.INITIAL_WINDOW_SIZE, 65535 - i) for i in range(count)])


def window_flips(host, count):
    """C7: every flip of the initial window touches all open streams (ATS 2026)."""
    head = request(host, "POST")
    yield b"".join(f.headers(i, head) for i in streams(100))
    yield from repeat(f.settings((f.INITIAL_WINDOW_SIZE, 0)) +
                      f.settings((f.INITIAL_WINDOW_SIZE, WINDOW_MAX)), count, 16)


def bomb_block(host, size, times):
    """C6: one large field stored in the table, then named again by one byte each."""
    return request(host) + f.literal("x", "a" * size, store=True) + f.indexed(62) * times


def crumb_block(host, count):
    """C6: one byte is one Cookie field."""
    return request(host) + f.literal("cookie", "a=b", store=True) + f.indexed(62) * count


def blocks(block, count, first=1):
    return (f.headers(i, block, f.END_STREAM | f.END_HEADERS) for i in streams(count, first))


# ---- what the gateway is told, and spends meanwhile


def with_tls(config, port, certificates):
    """A configuration of one_site() with a second listener, for https."""
    tls = f"{{ address: 127.0.0.1:{port}, tls: {{ certificates: {certificates} }} }}, "
    return config.replace("listen: [ ", "listen: [ " + tls, 1)


class Memory:
    """How far the resident memory of a process rose above where it was."""

    def __init__(self, pid):
        self.place = pathlib.Path(f"/proc/{pid}")
        (self.place / "clear_refs").write_text("5")     # the peak starts anew
        self.before = self._read("VmRSS")

    def _read(self, name):
        for line in (self.place / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(name)

    def risen(self):
        return self._read("VmHWM") - self.before


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
