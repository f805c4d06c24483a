# SPDX-License-Identifier: BSD-2-Clause
"""One request and its answer at either side of a connection, whatever the protocol.

A *flow* is what tests hold in their hands: at a client (fronts.py) its head is the answer's, at an
origin (origin.py) the request's. A session (h1flow.py, h2flow.py) parses bytes into flows; a *pump*
moves its bytes: at the client in the test's own thread, at the origin in another one.

Sessions are strict. What the peer may not send is a Violation: it ends the connection and fails the
test.
"""

import dataclasses
import time

from rousetest.link import Late


class Broken(Exception):
    """The flow ended, and not as it should: reset, cut off."""


class Violation(Exception):
    """The peer sent what its protocol forbids."""


@dataclasses.dataclass
class Told:
    """A whole answer."""
    status: int
    headers: list
    body: bytes
    trailers: list
    interims: list              # (status, headers)

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name, otherwise=None):
        return (self.all(name) or [otherwise])[0]


class Flow:
    """
    here        the head has come
    ended       its end has come, cleanly
    broken      or why it will never come
    gone        why the peer wants nothing more of us
    data        bytes of the body (of the tunnel) that nobody has taken yet
    """

    def __init__(self, session, number):
        self.session, self.pump, self.number = session, session.pump, number
        self.here = self.ended = self.tunnel = self.announced = False
        self.broken = self.gone = None
        self.status = None                              # at the client
        self.method = self.path = self.host = self.scheme = self.protocol = None  # at the origin
        self.headers, self.trailers, self.interims = [], [], []
        self.data, self.received, self.credited = bytearray(), 0, 0

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name, otherwise=None):
        return (self.all(name) or [otherwise])[0]

    # ---- waiting

    def wait(self, predicate, what, timeout=20):
        if not self.pump.wait(predicate, timeout):
            raise Late(f"{what} not within {timeout} s: {self.describe()}")

    def describe(self):
        return (f"{self.method or self.status} here={self.here} ended={self.ended} "
                f"broken={self.broken} {self.received} B, end {self.session.link.end}")

    def wait_head(self, timeout=20):
        self.wait(lambda: self.here or self.broken, "head", timeout)
        if not self.here:
            raise Broken(self.broken)
        return self

    def wait_interim(self, count=1, timeout=20):
        self.wait(lambda: len(self.interims) >= count or self.here or self.broken, "1xx", timeout)
        return self.interims

    def read(self, count=1, timeout=20):
        """At least so many bytes; fewer only at a clean end."""
        self.wait(lambda: len(self.data) >= count or self.ended or self.broken, f"{count} bytes",
                  timeout)
        with self.pump.lock:
            if self.broken and len(self.data) < count:
                raise Broken(self.broken)
            return self._take(len(self.data))

    def read_exactly(self, count, timeout=20):
        self.wait(lambda: len(self.data) >= count or self.ended or self.broken, f"{count} bytes",
                  timeout)
        with self.pump.lock:
            if len(self.data) < count:
                raise Broken(self.broken or f"ended after {bytes(self.data)!r}")
            return self._take(count)

    def _take(self, count):
        data = bytes(self.data[:count])
        del self.data[:count]
        self.session.taken(self)
        self.pump.flush()
        return data

    def read_all(self, timeout=20):
        """The rest of the body, up to a clean end."""
        body, deadline = b"", time.monotonic() + timeout
        while True:
            self.wait(lambda: self.data or self.ended or self.broken, "end", deadline
                      - time.monotonic())
            with self.pump.lock:
                body += self._take(len(self.data))
                if self.ended:
                    return body
                if self.broken:
                    raise Broken(f"{self.broken} after {len(body)} bytes")

    def wait_ended(self, timeout=20):
        self.wait(lambda: self.ended or self.broken, "end", timeout)
        if self.broken:
            raise Broken(self.broken)

    def wait_broken(self, timeout=20):
        """Until the flow broke; says how.  A clean end fails."""
        self.wait(lambda: self.ended or self.broken, "break", timeout)
        assert self.broken, f"ended cleanly: {self.describe()}"
        return self.broken

    def told(self, timeout=20):
        """The whole answer."""
        self.wait_head(timeout)
        body = self.read_all(timeout)
        return Told(self.status, self.headers, body, self.trailers, self.interims)

    def wait_gone(self, timeout=20):
        """Until the peer wants no more of what we send; says how it told so."""
        self.wait(lambda: self.gone, "departure", timeout)
        return self.gone

    # ---- what a session says

    def on_data(self, data):
        self.data += data
        self.received += len(data)

    def breaks(self, why):
        self.gone = self.gone or why
        if not self.broken and not self.ended:
            self.broken = why

    # ---- sending: by the protocols

    def send(self, data, wait=True, timeout=20):
        """wait (a client's): until the connection and the windows have taken all of it."""
        with self.pump.lock:
            self._send(bytes(data))
            self.pump.flush(wait)
            if wait:
                self.pump.sent(self, timeout)
        return self

    @property
    def pending(self):
        """Bytes given to send() that the peer's windows hold back."""
        return 0

    def finish(self, trailers=()):
        with self.pump.lock:
            self._finish(list(trailers))
            self.pump.flush()
        return self

    def reset(self, code=8):
        """RST_STREAM with that code, or the connection's reset."""
        with self.pump.lock:
            self._reset(code)
            self.pump.flush()

    def cancel(self):
        """As a client goes that wants no more: RST_STREAM(CANCEL), or closes the connection."""
        with self.pump.lock:
            self._cancel()
            self.pump.flush()

    # ---- at the origin

    def interim(self, status, headers=()):
        with self.pump.lock:
            self._head(status, list(headers), "none", interim=True)
            self.pump.flush()
        return self

    def respond(self, status=200, headers=(), body=None, framing=None, trailers=()):
        """The answer's head, with the whole body if one is given.

        framing: cl, chunked, close, none; over HTTP/2 it only says whether there is a length.
        """
        headers = list(headers)
        with self.pump.lock:
            if body is not None and framing in (None, "cl"):
                headers.append(("content-length", str(len(body))))
                framing = "cl"
            elif framing is None:
                given = any(name.lower() == "content-length" for name, _ in headers)
                framing = "cl" if given else "chunked"
            self._head(status, headers, framing)
            if body is not None:
                if body and self.method != "HEAD":
                    self._send(body)
                self._finish(list(trailers))
            self.pump.flush()
        return self

    def accept(self, headers=(), data=b""):
        """Yes to a WebSocket: 101 or 200, and the first bytes in the same write."""
        with self.pump.lock:
            self._accept(list(headers))
            if data:
                self._send(data)
            self.pump.flush()
        return self
