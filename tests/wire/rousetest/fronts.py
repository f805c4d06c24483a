# SPDX-License-Identifier: BSD-2-Clause
"""One client for {h1, h1 over TLS, h2c, h2 over TLS}: a test asks, the protocol does not show.

    front = Front("h2s", port, ca=ca, name="3000-blog.t.localhost")
    with front.connect() as c:
        told = c.request("POST", "/x", HOST, body=b"...")
        flow = c.open("POST", "/y", HOST, length=None)
        flow.send(b"part")
        ...
"""

import contextlib
import threading
import time

from rousetest import websocket
from rousetest.flow import Broken
from rousetest.h1flow import H1Session
from rousetest.h2flow import H2Session
from rousetest.link import Late, Link

KINDS = ("h1", "h1s", "h2c", "h2s")


class Pump:
    """Moves a session's bytes in the thread that asks."""

    def __init__(self, link):
        self.link, self.session = link, None
        self.lock = threading.RLock()

    def flush(self, wait=True):
        """Sends what the session has; all of it, or only what the kernel takes."""
        while self.session.out:
            data = bytes(self.session.out)
            self.session.out.clear()
            if wait:
                self.link.send(data)
            else:
                self.link.queue(data)
                self.link.flush()
            self.session.advance()
        if self.session.shut and not self.link.closed:
            self.session.shut = False
            self.link.half_close()

    def sent(self, flow, timeout):
        """Until the peer's windows let through what was given to the flow."""
        self.wait(lambda: not flow.pending or flow.gone or flow.broken, timeout)

    def wait(self, predicate, timeout):
        deadline = time.monotonic() + timeout
        while True:
            self.session.advance()
            self.flush()
            if predicate():
                return True
            left = deadline - time.monotonic()
            if self.link.end or self.link.closed or self.link.deaf or left <= 0:
                return False
            self.link.flush()
            self.link.wait(left, writing=bool(self.link.unsent))

    def drop(self, how):
        if how == "rst":
            self.link.reset()
        else:
            self.link.half_close()
            self.link.close()


class Client:
    """One connection of one client."""

    def __init__(self, link, h2, host, **options):
        self.link, self.host = link, host
        self.pump = Pump(link)
        kind = H2Session if h2 else H1Session
        self.session = self.pump.session = kind(link, self.pump, **options)
        self.scheme = "https" if link.tls else "http"
        self.session.start()
        self.pump.flush()

    h2 = property(lambda self: self.session.h2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def close(self):
        self.link.close()

    def reset(self):
        self.link.reset()

    def open(self, method, path="/", host=None, headers=(), length=0):
        """Sends a head.  length: of the body to come; None: not known; 0: there is none."""
        headers = list(headers)
        framing = "none" if length == 0 else "chunked" if length is None else "cl"
        if length or (length == 0 and method in ("POST", "PUT", "PATCH")):
            headers.append(("content-length", str(length)))
        flow = self.session.open(method, path, host or self.host, headers, framing, self.scheme)
        self.pump.flush()
        return flow

    def request(self, method="GET", path="/", host=None, headers=(), body=b"", chunks=None,
                trailers=(), timeout=20):
        """The whole of it.  chunks: the body in pieces, its length untold."""
        if chunks is None:
            flow = self.open(method, path, host, headers, len(body))
            if body:
                flow.send(body)
                flow.finish()
        else:
            flow = self.open(method, path, host, headers, None)
            for chunk in chunks:
                flow.send(chunk)
            flow.finish(trailers)
        return flow.told(timeout)

    def ask_websocket(self, path="/", host=None, headers=(), early=b"", key=None):
        """The handshake; with the first bytes of the tunnel behind it in the same write."""
        headers = list(headers) + [("sec-websocket-version", "13")]
        if self.h2:
            self.settle()
            flow = self.session.open("CONNECT", path, host or self.host, headers, "chunked",
                                     self.scheme, protocol="websocket")
            flow.protocol = "websocket"
        else:
            headers += [("Upgrade", "websocket"), ("Connection", "Upgrade"),
                        ("Sec-WebSocket-Key", key or websocket.new_key())]
            flow = self.session.open("GET", path, host or self.host, headers, "none", None,
                                     protocol="websocket")
        if early:
            flow._send(early)
        self.pump.flush()
        return flow

    def websocket(self, path="/", host=None, headers=(), timeout=20):
        flow = self.ask_websocket(path, host, headers).wait_head(timeout)
        if not flow.tunnel:
            raise Broken(f"no tunnel: {flow.status}")
        return websocket.WebSocket(flow)

    def settle(self, timeout=20):
        """Until the peer's SETTINGS are here."""
        if self.h2 and not self.pump.wait(lambda: self.session.settled, timeout):
            raise Late(f"no SETTINGS: {self.link.end}")


class Front:
    """Where to connect to, and how."""

    def __init__(self, kind, port, ca=None, name=None, host=None, address="127.0.0.1"):
        self.kind, self.port, self.ca, self.name = kind, port, ca, name
        self.host, self.address = host or name, address
        self.h2, self.tls = kind in ("h2c", "h2s"), kind in ("h1s", "h2s")
        self._context = None

    def __str__(self):
        return self.kind

    @property
    def context(self):
        if self.tls and not self._context:
            alpn = ["h2", "http/1.1"] if self.h2 else ["http/1.1"]
            self._context = self.ca.client_context(alpn)
        return self._context

    def link(self, bytewise=False, timeout=20, context=None, name=None):
        """A bare connection, TLS done, ALPN as asked for."""
        link = Link.connect(self.port, context or self.context, name or self.name, self.address,
                            bytewise, timeout)
        if self.tls and self.h2:
            assert link.alpn == "h2", f"ALPN {link.alpn}"
        return link

    def connect(self, bytewise=False, timeout=20, context=None, name=None, **options):
        return Client(self.link(bytewise, timeout, context, name), self.h2, self.host, **options)

    def request(self, *args, bytewise=False, **options):
        """One request over a connection of its own."""
        with self.connect(bytewise) as client:
            return client.request(*args, **options)

    @contextlib.contextmanager
    def websocket(self, *args, **options):
        with self.connect() as client:
            yield client.websocket(*args, **options)
