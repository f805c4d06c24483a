# SPDX-License-Identifier: BSD-2-Clause
"""One origin for {h1, h2c, h1 over TLS, h2 over TLS}, driven by the test or by itself.

A request under /hello, /echo or /digest is answered at once; every other one waits until the test
takes it and answers it step by step:

    origin = Origin("h2c")
    request = origin.take()
    request.respond(200, [("x", "y")]).send(b"part").finish([("trailer", "z")])

Requests arrive in a thread; everything a test calls is safe from another one.  A request that
breaks its protocol is kept in `violations`, and stop() fails.
"""

import hashlib
import json
import selectors
import socket
import threading

from rousetest import frames
from rousetest.flow import Violation
from rousetest.h1flow import H1Session
from rousetest.h2flow import H2Session
from rousetest.link import Link

KINDS = ("h1", "h2c", "h1s", "h2s")
ALPN = {"h1s": ["http/1.1"], "h2s": ["h2"]}


class Pump:
    """Moves one connection's bytes: whoever holds the origin's lock."""

    def __init__(self, origin, link, number):
        self.origin, self.link, self.number = origin, link, number
        self.lock, self.session = origin.lock, None
        self.how = None         # how the origin itself ended the connection
        self.watched = 0        # what the selector was asked for

    def sent(self, flow, timeout):
        """The origin's thread goes on sending."""

    def flush(self, _wait=True):
        if self.link.closed or not self.link.handshaken:
            return
        if self.session and self.session.out:
            self.link.queue(bytes(self.session.out))
            self.session.out.clear()
        if not self.link.flush() or self.link.deaf:
            self.origin.wake()
        elif self.session and self.session.shut:
            self.session.shut = False
            self.link.half_close()
            self.origin.wake()

    def wait(self, predicate, timeout):
        with self.origin.news:
            return self.origin.news.wait_for(predicate, timeout)

    def drop(self, how):
        if not self.link.closed:
            self.how = how
            self.origin.forget(self)
            self.link.flush()
            if how == "rst":
                self.link.reset()
            else:
                self.link.half_close()
                self.link.close()


class Origin:
    """
    settings    of its HTTP/2 side, e.g. {frames.INITIAL_WINDOW_SIZE: 0}
    credit      auto, or read: window only for what the test has taken
    script      called with each new Link in a thread of its own instead: a hostile server
    closed      bound, refusing until listen()
    """

    def __init__(self, kind="h1", context=None, name="o", settings=None, credit="auto",
                 script=None, closed=False, address="127.0.0.1", port=0):
        self.kind, self.context, self.name = kind, context, name
        self.settings = {frames.ENABLE_CONNECT_PROTOCOL: 1} if settings is None else settings
        self.credit, self.script = credit, script
        self.lock = threading.RLock()
        self.news = threading.Condition(self.lock)
        self.requests, self.violations = [], []
        self.pumps, self.connections = set(), 0
        self.mute = False               # nothing is answered by itself
        self._taken = set()
        self._threads, self._faults, self._links = [], [], []
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, port))
        self.sock.setblocking(False)
        self.address, self.port = self.sock.getsockname()[:2]
        self._over = False
        self._listening = False
        if not closed:
            self.listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def h2(self):
        return self.kind in ("h2c", "h2s")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def listen(self):
        with self.lock:
            self.sock.listen(4096)
            if not self._listening:
                self._selector.register(self.sock, selectors.EVENT_READ, self.sock)
            self._listening = True
            self.wake()

    # ---- what a test says

    def take(self, timeout=20, **match):
        """The next request that nobody has taken yet: take(path="/x"), or any."""
        found = []

        def look():
            for flow in self.requests:
                if flow not in self._taken and all(getattr(flow, key) == value
                                                   for key, value in match.items()):
                    self._taken.add(flow)
                    found.append(flow)
                    return True
            return bool(self.violations)

        with self.news:
            self.news.wait_for(look, timeout)
            assert found, (f"no request {match} within {timeout} s: {self.connections} connections,"
                           f" {len(self.requests)} requests, {self.violations} {self._faults}")
            return found[0]

    def wait(self, predicate, what, timeout=20):
        with self.news:
            assert self.news.wait_for(predicate, timeout), f"{what} not within {timeout} s"

    def wait_connections(self, count, timeout=20):
        self.wait(lambda: self.connections >= count, f"{count} connections", timeout)

    def wait_idle(self, timeout=20):
        """Until no connection is open."""
        self.wait(lambda: not self.pumps, "all connections closed", timeout)

    def of(self, path):
        with self.lock:
            return [flow for flow in self.requests if flow.path == path]

    def drop_all(self, how="rst"):
        with self.lock:
            for pump in list(self.pumps):
                pump.drop(how)

    def end_scripts(self):
        """Takes their connections away: they find it out by reading."""
        with self.lock:
            links, self._links = self._links, []
        for link in links:
            link.shut_down()

    def reset(self):
        """Forgets what it saw; connections stay."""
        with self.lock:
            self.requests.clear()
            self._taken.clear()

    def stop(self):
        with self.lock:
            self._over = True
            self.wake()
        self._thread.join(20)
        for thread in self._threads:
            thread.join(20)
        assert not self._faults, self._faults
        assert not self.violations, self.violations

    # ---- the thread

    def wake(self):
        try:
            self._bell.send(b"x")
        except (BlockingIOError, OSError):
            pass

    def forget(self, pump):
        if pump in self.pumps:
            self.pumps.discard(pump)
            if pump.watched:
                self._selector.unregister(pump.link.sock)
                pump.watched = 0
            self.news.notify_all()

    def _run(self):
        while True:
            events = self._selector.select(5)
            with self.lock:
                if self._over:
                    break
                for key, _ in events:
                    if key.data is None:
                        self._drain_bell()
                    elif key.data is self.sock:
                        self._accept()
                    elif key.data in self.pumps:
                        self._serve(key.data)
                for pump in list(self.pumps):
                    self._rearm(pump)
                self.news.notify_all()
        self._close()

    def _drain_bell(self):
        try:
            while self._ear.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _rearm(self, pump):
        """What to wait for.  A peer that half-closed a tunnel is still written to."""
        link = pump.link
        if link.end and not (link.end == "fin" and pump.session and pump.session.half_open):
            self.forget(pump)
            link.close()
            return
        wanted = 0 if link.deaf or link.end else selectors.EVENT_READ
        wanted |= selectors.EVENT_WRITE if link.unsent else 0
        registered = pump.watched
        if wanted == registered:
            return
        if not registered:
            self._selector.register(link.sock, wanted, pump)
        elif wanted:
            self._selector.modify(link.sock, wanted, pump)
        else:
            self._selector.unregister(link.sock)
        pump.watched = wanted

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except BlockingIOError:
                return
            self.connections += 1
            if self.script:
                thread = threading.Thread(target=self._play, args=(sock,), daemon=True)
                self._threads.append(thread)
                thread.start()
                continue
            link = Link(sock, self.context, server=True)
            pump = Pump(self, link, self.connections)
            self.pumps.add(pump)
            self._rearm(pump)
            if not self.context:
                self._begin(pump)

    def _play(self, sock):
        """A hostile server's connection: script(link) in a thread."""
        with Link(sock, self.context, server=True) as link:
            with self.lock:
                self._links.append(link)
            try:
                if self.context:
                    link.handshake()
                self.script(link)
            except Exception as error:      # reported by stop()
                self._faults.append(f"script: {type(error).__name__}: {error}")
        with self.news:
            self.news.notify_all()

    def _begin(self, pump):
        h2 = pump.link.alpn == "h2" if self.context else self.kind == "h2c"
        options = {"server": True, "on_head": lambda flow: self._head(pump, flow),
                   "on_end": lambda flow: self._end(flow)}
        if h2:
            options |= {"settings": self.settings, "credit": self.credit}
        pump.session = (H2Session if h2 else H1Session)(pump.link, pump, **options)
        pump.session.start()
        pump.flush()

    def _serve(self, pump):
        link = pump.link
        if not link.deaf:
            link.advance()
        if not pump.session:
            if not link.handshaken:
                if link.end:
                    self.forget(pump)
                    link.close()
                return
            self._begin(pump)
        pump.session.advance()
        if pump.session.violation and pump.session.violation not in self.violations:
            self.violations.append(pump.session.violation)
        if link.closed:
            return
        pump.flush()

    def _close(self):
        with self.lock:
            for pump in list(self.pumps):
                self.forget(pump)
                pump.link.close()
            self._selector.close()
            self.sock.close()
            self._bell.close()
            self._ear.close()

    # ---- answers of its own

    def _head(self, pump, flow):
        flow.connection = pump.number
        self.requests.append(flow)
        path = flow.path.split("?")[0] if flow.path else ""
        if self.mute or path not in ("/hello", "/echo", "/digest"):
            return
        self._taken.add(flow)
        if path == "/echo":
            flow.respond(200, self._canary(flow))
            flow.on_data = lambda data: self._echo(flow, data)
        elif path == "/digest":
            flow.hash = hashlib.sha256()
            flow.on_data = lambda data: self._digest(flow, data)

    def _canary(self, flow):
        return [("x-origin-name", self.name), ("x-origin-conn", str(flow.connection)),
                ("x-origin-request", str(flow.number)), ("x-origin-rid", flow.get("x-rid", "-"))]

    @staticmethod
    def _echo(flow, data):
        flow.received += len(data)
        if data:
            flow._send(data)

    @staticmethod
    def _digest(flow, data):
        flow.received += len(data)
        flow.hash.update(data)

    def _end(self, flow):
        path = flow.path.split("?")[0] if flow.path else ""
        if self.mute:
            return
        if path == "/echo":
            flow.finish([("x-echoed", str(flow.received))])
        elif path == "/hello":
            text = f"{self.name} conn={flow.connection} rid={flow.get('x-rid', '-')}\n"
            flow.respond(200, self._canary(flow), text.encode())
        elif path == "/digest":
            said = {"length": flow.received, "sha256": flow.hash.hexdigest(),
                    "method": flow.method, "host": flow.host, "headers": flow.headers,
                    "trailers": flow.trailers}
            flow.respond(200, self._canary(flow), json.dumps(said).encode())


__all__ = ["KINDS", "Origin", "Violation"]
