# SPDX-License-Identifier: BSD-2-Clause
"""Plays the cases of cases_h2.py against a server and judges what came of each."""

from rousetest import frames
from rousetest.h2 import RawH2
from rousetest.link import Late

STATUS = {"awake": range(200, 300), "dead": (502, 503, 504)}


class Player:
    """One case, one connection.  c: the RawH2; host: whom the requests are for."""

    def __init__(self, link, host, secure, big=None):
        self.c, self.host, self.secure, self.big = RawH2(link), host, secure, big
        self.complaint = None
        self.stream = 1

    # ---- words that cases use

    def fields(self, method="GET", path="/", authority=None, scheme=None):
        return frames.request_fields(method, path, authority or self.host,
                                     scheme or ("https" if self.secure else "http"))

    def block(self, coded=False, **options):
        return frames.block(self.fields(**options), coded)

    def get(self, stream, more=(), without=None, extra=b"", pad=None, priority=None, **options):
        fields = [pair for pair in self.fields(**options) if pair[0] != without] + list(more)
        return frames.headers(stream, frames.block(fields) + extra,
                              frames.END_STREAM | frames.END_HEADERS, pad, priority)

    def post(self, stream, more=()):
        return frames.headers(stream, frames.block([*self.fields("POST"), *more]))

    def sized(self, size):
        """A request whose header block has exactly that many bytes."""
        fragment, number = self.block(), 0
        while len(fragment) < size:
            name = f"x-{number}"
            room = size - len(fragment) - 2 - len(name)
            if room <= 4100:
                value = "v" * (room - (1 if room < 128 else 3 if room > 130 + 127 else 2))
                fragment += frames.literal(name, value)
                break
            fragment += frames.literal(name, "v" * 3000)
            number += 1
        assert len(fragment) == size, len(fragment)
        return frames.headers(1, fragment, frames.END_STREAM | frames.END_HEADERS)

    def answered(self, stream):
        """Sends a request and reads its whole answer."""
        self.c.send(self.get(stream))
        self.c.until(lambda one: one.stream == stream and one.has(frames.END_STREAM)
                     and one.type in (frames.DATA, frames.HEADERS))
        return b""

    def setting(self, key, otherwise):
        for one in self.c.seen:
            if one.type == frames.SETTINGS:
                otherwise = dict(one.settings).get(key, otherwise)
        return otherwise

    def crowd(self):
        """One open stream more than the server allows; watches the last."""
        most = min(self.setting(frames.MAX_CONCURRENT_STREAMS, 100), 1000)
        self.stream = 2 * most + 1
        return b"".join(self.post(2 * number + 1) for number in range(most + 1))

    def too_much(self, stream):
        window = self.setting(frames.INITIAL_WINDOW_SIZE, 65535)
        whole, rest = divmod(window + 1, 16384)
        return frames.data(stream, bytes(16384)) * whole + frames.data(stream, bytes(rest))

    def _bytes(self, stream=1):
        return sum(len(one.content) for one in self.c.of(stream, frames.DATA))

    def _body(self):
        return self.get(1, path=self.big or "/")

    def window_of_one(self):
        """DATA comes one byte at a time."""
        self.c.send(self._body())
        for count in (1, 2, 3):
            self.c.until(lambda one: one.type == frames.DATA and one.payload)
            self.c.barrier()
            if self._bytes() != count:
                self.complaint = f"{self._bytes()} bytes through a window of {count}"
            self.c.send(frames.window_update(1, 1))
        self.c.send(frames.window_update(1, 1 << 20))
        return b""

    def negative_window(self):
        """Three bytes went out; the window shrinks to 2 - 3, and needs 2 more to be 1."""
        self.c.send(self._body())
        self.c.until(lambda one: one.type == frames.DATA and self._bytes() >= 3)
        self.c.send(frames.settings((frames.INITIAL_WINDOW_SIZE, 2)), frames.window_update(1, 1))
        self.c.barrier()
        if self._bytes() != 3:
            self.complaint = f"{self._bytes()} bytes through a window of 3"
        self.c.send(frames.window_update(1, 1))
        self.c.until(lambda one: one.type == frames.DATA and one.payload)
        self.c.barrier()
        if self._bytes() != 4:
            self.complaint = f"{self._bytes()} bytes through a window of 4"
        self.c.send(frames.window_update(1, 1 << 20))
        return b""


def _wanted(case, state):
    wanted = set(case.want)
    if "OK" in wanted:
        wanted.discard("OK")
        wanted |= {"alive"} if state == "held" else {f"status {n}" for n in STATUS[state]}
    return wanted


def _answers_expected(case, state):
    return "OK" in case.want and state != "held"


def run(case, link, host, secure, state, big=None, timeout=10):
    """The complaint about one case, or None.  state: awake, held or dead."""
    link.bytewise = case.bytewise
    player = Player(link, host, secure, big)
    with player.c as c:
        try:
            if not case.bare:
                c.start(*case.settings)
            c.send(case.send(player) if callable(case.send) else case.send)
            link.bytewise = False
            player.stream = player.stream if case.stream == 0 else case.stream
            c.barrier(timeout=timeout)
            outcome = c.outcome(player.stream)
            if outcome == "alive" and _answers_expected(case, state):
                c.until(lambda one: one.stream == player.stream and one.type in
                        (frames.HEADERS, frames.RST_STREAM), timeout)
                c.barrier(timeout=timeout)
                outcome = c.outcome(player.stream)
            if outcome.startswith("CE"):
                c.wait_end(timeout)
        except Late as late:
            told = ", ".join(map(str, c.seen[-6:]))
            return f"{late}; {c.outcome(player.stream)}; saw {told}"
        except BrokenPipeError:
            outcome = "close"
        wanted = _wanted(case, state)
        if outcome not in wanted:
            told = ", ".join(map(str, c.seen[-6:]))
            return f"{outcome}, not {' or '.join(sorted(wanted)[:6])}; saw {told}; end {c.end}"
        if case.check and (complaint := case.check(player)):
            return complaint
    return None
