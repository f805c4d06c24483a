# SPDX-License-Identifier: BSD-2-Clause
"""A raw HTTP/1 client with a strict parser of answers.

Nothing here repairs anything: an answer that is not exactly as RFC 9112 wants it is a BadAnswer.
"""

import dataclasses
import json
import random
import re
import selectors
import socket
import time

STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t -~\x80-\xff]*)")
FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*"
                   rb"((?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*")


class BadAnswer(Exception):
    """The bytes are not a well-formed answer."""


class Incomplete(Exception):
    """The bytes end within the answer."""


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    headers: list           # (name, value) as received, in order
    body: bytes
    trailers: list
    framing: str            # cl, chunked, close, none
    interims: list          # statuses of 1xx answers before it
    size: int               # bytes on the wire, interim answers included
    complete: bool = True   # False: a body until close that has not seen the close

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, otherwise=None):
        values = self.all(name)
        return values[0] if values else otherwise

    def json(self):
        return json.loads(self.body)


def _line(data, at):
    end = data.find(b"\n", at)
    if end < 0:
        raise Incomplete
    if end == at or data[end - 1] != 0x0d:
        raise BadAnswer(f"bare LF in {data[at:end + 1]!r}")
    line = data[at:end - 1]
    if b"\r" in line or b"\0" in line:
        raise BadAnswer(f"CR or NUL in {line!r}")
    return line, end + 1


def _fields(data, at):
    fields = []
    while True:
        line, at = _line(data, at)
        if not line:
            return fields, at
        match = FIELD.fullmatch(line)
        if not match:
            raise BadAnswer(f"field {line!r}")
        fields.append((match[1].decode("latin-1"), match[2].decode("latin-1")))


def _chunks(data, at):
    body = b""
    while True:
        line, at = _line(data, at)
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line):
            raise BadAnswer(f"chunk line {line!r}")
        size = int(line, 16)
        if not size:
            trailers, at = _fields(data, at)
            return body, trailers, at
        if len(data) < at + size + 2:
            raise Incomplete
        body += data[at:at + size]
        if data[at + size:at + size + 2] != b"\r\n":
            raise BadAnswer("a chunk without CRLF at its end")
        at += size + 2


def _framing(status, method, headers):
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
        raise BadAnswer(f"framing {lengths} {codings}")
    if lengths and not re.fullmatch(r"0|[1-9][0-9]{0,17}", lengths[0]):
        raise BadAnswer(f"Content-Length {lengths[0]!r}")
    if codings and codings[0] != "chunked":
        raise BadAnswer(f"Transfer-Encoding {codings[0]!r}")
    if status < 200 or status == 204:
        if lengths or codings:
            raise BadAnswer(f"framing fields in a {status}")
        return "none", 0
    if method == "HEAD" or status == 304:
        return "none", 0
    if codings:
        return "chunked", 0
    if lengths:
        return "cl", int(lengths[0])
    return "close", 0


def _one(data, at, method, ended):
    line, at = _line(data, at)
    match = STATUS.fullmatch(line)
    if not match:
        raise BadAnswer(f"status line {line!r}")
    status = int(match[1])
    headers, at = _fields(data, at)
    framing, length = _framing(status, method, headers)
    trailers, complete = [], True
    if framing == "cl":
        if len(data) < at + length:
            raise Incomplete
        body, at = data[at:at + length], at + length
    elif framing == "chunked":
        body, trailers, at = _chunks(data, at)
    elif framing == "close":
        body, at, complete = data[at:], len(data), ended
    else:
        body = b""
    reason = match[2].decode("latin-1")
    return Answer(status, reason, headers, bytes(body), trailers, framing, [], 0, complete), at


def parse_answer(data, method="GET", at=0, ended=False):
    """The answer at `at`, interim ones included, and where it ends; or Incomplete, BadAnswer."""
    interims, start = [], at
    while True:
        answer, at = _one(data, at, method, ended)
        if answer.status >= 200 or answer.status == 101:
            answer.interims = interims
            answer.size = at - start
            return answer, at
        interims.append(answer.status)


def parse_answers(data, methods=("GET",), ended=True):
    """The complete answers in `data`, at most one for each method, and the bytes after them."""
    answers, at = [], 0
    for method in methods:
        if at == len(data):
            break
        try:
            answer, at = parse_answer(data, method, at, ended)
        except Incomplete:
            break
        answers.append(answer)
    return answers, data[at:]


class Connection:
    """One client connection; sends exactly what it is told."""

    def __init__(self, port, address="127.0.0.1", timeout=20, rcvbuf=0):
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout)
        self.sock.connect((address, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.end = None         # None while open, "fin", "rst"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.sock.sendall(data)

    def pull(self, timeout=20):
        """Receives once; False when the connection has ended."""
        if self.end:
            return False
        self.sock.settimeout(timeout)
        try:
            got = self.sock.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            self.end = "rst"
            return False
        if not got:
            self.end = "fin"
            return False
        self.data += got
        return True

    def answer(self, method="GET", timeout=20):
        """Reads the next answer; what follows it stays in `data`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                answer, at = parse_answer(self.data, method, 0, self.end == "fin")
                if answer.complete:
                    self.data = self.data[at:]
                    return answer
            except Incomplete:
                if self.end:
                    raise BadAnswer(f"ended ({self.end}) after {self.data[-200:]!r}") from None
            if not self.pull(max(0.001, deadline - time.monotonic())) and self.end == "rst":
                raise BadAnswer(f"reset after {self.data[-200:]!r}")

    def request(self, data, method=None, timeout=20):
        self.send(data)
        return self.answer(method or data.split(b" ", 1)[0].decode("latin-1"), timeout)

    def until_end(self, timeout=20):
        """Reads until the peer ends the connection; returns "fin" or "rst"."""
        while self.pull(timeout):
            pass
        return self.end


@dataclasses.dataclass
class Played:
    """What one connection of play() got."""
    data: bytes = b""
    end: str = None             # None: still open at the end
    answers: list = dataclasses.field(default_factory=list)
    rest: bytes = b""
    error: str = None           # why the bytes are not well-formed answers


class _Player:
    def __init__(self, sock, pieces, methods):
        self.sock = sock
        self.pieces = [piece for piece in pieces if piece]
        self.methods = methods
        self.played = Played()
        self.deadline = None

    def judge(self):
        """Whether everything expected has come; an announced close is still to come."""
        played = self.played
        try:
            played.answers, played.rest = parse_answers(played.data, self.methods,
                                                        played.end is not None)
        except BadAnswer as error:
            played.error = str(error)
            return True
        finals = [answer for answer in played.answers if answer.complete]
        close = any("close" in answer.get("connection", "").lower() for answer in finals)
        return len(finals) == len(self.methods) and not close


def _drop(selector, player, active):
    selector.unregister(player.sock)
    player.sock.close()
    player.judge()
    active.remove(player)


def _receive(player):
    """Reads once; True when the connection needs no more of it."""
    try:
        got = player.sock.recv(1 << 16)
    except BlockingIOError:
        return False
    except OSError:
        player.played.end = "rst"
        return True
    if not got:
        player.played.end = "fin"
        return True
    player.played.data += got
    return not player.pieces and player.judge()


def _transmit(player):
    piece = player.pieces[0]
    try:
        sent = player.sock.send(piece)
    except BlockingIOError:
        return
    except OSError:
        player.pieces = []          # the reading side will say why
        return
    if sent == len(piece):
        player.pieces.pop(0)
    else:
        player.pieces[0] = piece[sent:]


def _open(address, port):
    sock = socket.socket()
    sock.settimeout(20)
    sock.connect((address, port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setblocking(False)
    return sock


def _one_round(selector, active, timeout):
    """Each connection sends at most one piece; between two pieces every other one is served."""
    waiting = not any(player.pieces for player in active)
    for key, _ in selector.select(0.05 if waiting else 0.0002):
        if _receive(key.data):
            _drop(selector, key.data, active)
    now = time.monotonic()
    for player in list(active):
        if player.pieces:
            _transmit(player)
        elif player.deadline is None:
            player.deadline = now + timeout
        elif now > player.deadline:
            _drop(selector, player, active)


def play(port, items, timeout=10, address="127.0.0.1", at_once=150):
    """Plays (pieces, methods) pairs, each over a connection of its own, many at once.

    A pair ends when each of its methods got its final answer (and the close, if one announced it),
    when the peer ended the connection, or `timeout` after its last piece.
    """
    players, results, active = list(items), [], []
    selector = selectors.SelectSelector()       # waits with us precision, unlike epoll
    while players or active:
        while players and len(active) < at_once:
            pieces, methods = players.pop(0)
            player = _Player(_open(address, port), pieces, methods)
            selector.register(player.sock, selectors.EVENT_READ, player)
            active.append(player)
            results.append(player.played)
        _one_round(selector, active, timeout)
    return results


def whole(data):
    return [data]


def bytewise(data):
    return [data[i:i + 1] for i in range(len(data))]


def random_cuts(data, dice, most=8):
    """The data in 2 to `most` pieces; `dice` is a random.Random with a printed seed."""
    if len(data) < 2:
        return [data]
    count = min(dice.randrange(1, most), len(data) - 1)
    cuts = [0, *sorted(dice.sample(range(1, len(data)), count)), len(data)]
    return [data[a:b] for a, b in zip(cuts, cuts[1:])]


def dice_for(seed):
    return random.Random(seed)
