# SPDX-License-Identifier: BSD-2-Clause
"""Between accept and the first request: handshakes that stall (H1), floods of them (H2), what is
not spoken here (A14), and the end of the program in the middle of it."""

import signal
import socket
import ssl
import time

import pytest
from rousetest import BadAnswer, Connection, free_port
from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import WIDE, one_site

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


class Place:
    def __init__(self, gateway, witness, hook, tmp_path, limits=None, tls=True, state="running"):
        self.authority = Authority()
        self.authority.fill(tmp_path, "*.t.localhost")
        self.w, self.h = witness(), hook()
        self.h.sandbox("blog", state, address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        text = one_site(self.port, self.h, admin=self.admin.config, workers=1,
                        limits=WIDE | (limits or {}))
        if tls:
            text = text.replace(f"127.0.0.1:{self.port} }}", f"127.0.0.1:{self.port}, "
                                f"tls: {{ certificates: {tmp_path} }} }}")
        self.g = gateway(text)

    def hello(self):
        """The bytes of a ClientHello."""
        context = self.authority.client_context(alpn=["http/1.1"])
        out = ssl.MemoryBIO()
        try:
            context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=HOST).do_handshake()
        except ssl.SSLWantReadError:
            return out.read()

    def request(self, timeout=20, alpn=("http/1.1",)):
        context = self.authority.client_context(alpn=list(alpn))
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as plain:
            with context.wrap_socket(plain, server_hostname=HOST) as c:
                c.sendall(GET)
                return c.recv(65536)


@pytest.fixture
def place(gateway, witness, hook, tmp_path):
    return lambda **options: Place(gateway, witness, hook, tmp_path, **options)


@pytest.mark.parametrize("alpn", [["http/1.1"], [], ["spdy/3", "http/1.1"]])
def test_alpn_decides_and_none_is_http1(place, alpn):
    assert place().request(alpn=alpn).startswith(b"HTTP/1.1 200 ")


def test_other_protocols_are_told_so(place):
    p = place()
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        p.request(alpn=["spdy/3"])
    p.g.wait_event("connection_refused", reason="tls_handshake")


def test_stalled_handshakes_end(place):
    p = place(limits={"handshake_time": "500ms"}, state="paused")
    hello = p.hello()
    began = time.monotonic()
    conns = [Connection(p.port) for _ in range(3)]
    conns[1].send(hello[:20])
    conns[2].send(hello)
    for c in conns:
        c.until_end()
        c.close()
    assert 0.4 < time.monotonic() - began < 10
    p.g.wait_events("connection_refused", 2, reason="tls_handshake", detail="not over in time")
    assert p.h.count("resume") == p.h.count("inspect") == 0     # invariant 6


def test_dripping_does_not_prolong_it(place):
    p = place(limits={"handshake_time": "1s"})
    hello, began = p.hello(), time.monotonic()
    with Connection(p.port) as c:
        for i in range(len(hello)):
            try:
                c.send(hello[i:i + 1])
                c.pull(0.05)
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
            break
    assert time.monotonic() - began < 6
    p.g.wait_event("connection_refused", reason="tls_handshake")


def test_handshakes_that_stall_make_room(place):
    """H2: a flood holds its places only while nobody waits for them."""
    p = place(limits={"handshakes": 4})
    hello = p.hello()
    flood = [Connection(p.port) for _ in range(12)]
    for c in flood[:6]:
        c.send(hello[:100])
    p.admin.wait_metric("rouse_tls_handshakes_in_flight", 4)
    began = time.monotonic()
    assert p.request().startswith(b"HTTP/1.1 200 ")     # behind two of the six
    assert 0.5 < time.monotonic() - began < 9
    p.g.wait_events("connection_refused", 4, reason="tls_handshake",
                    detail="slow while others waited")
    began = time.monotonic()
    assert p.request().startswith(b"HTTP/1.1 200 ")     # the silent ones cost nothing
    assert time.monotonic() - began < 9
    for c in flood:
        c.close()
    p.admin.wait_metric("rouse_tls_handshakes_in_flight", 0)
    assert p.admin.metric("rouse_tls_handshakes_total") == 2


def test_plain_requests_on_a_tls_listener(place):
    p = place(state="paused")
    for data in (GET, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\0\x05hello", b"\0" * 40):
        with Connection(p.port) as c:
            c.send(data)
            c.until_end()
            assert not c.data.startswith(b"HTTP/")
    p.g.wait_events("connection_refused", 4, reason="tls_handshake")
    assert p.admin.metric('rouse_ends_total{error="tls_handshake"}') == 4
    assert p.h.count("resume") == p.h.count("inspect") == 0


def test_tls_on_a_plain_listener(place):
    p = place(tls=False)
    with Connection(p.port) as c:
        c.send(p.hello())
        assert c.answer().status == 400


def test_clients_that_leave_are_forgotten(place):
    p = place()
    hello, before = p.hello(), p.g.open_descriptors()
    for n in (0, 1, 5, 100, len(hello)):
        for how in ("close", "reset", "half_close"):
            c = Connection(p.port)
            c.send(hello[:n])
            getattr(c, how)()
            if how == "half_close":
                c.until_end()
                c.close()
    p.admin.wait_metric("rouse_connections", 0, timeout=5)  # long before their time is over
    p.g.wait_descriptors(before)


def test_beginnings_of_a_preface_are_http1s(place):
    p = place(tls=False, limits={"request_header_time": "500ms"})
    for data in (b"P", b"PRI", b"PRI * HTTP/2.0\r\n"):
        with Connection(p.port) as c:
            c.send(data)
            assert c.answer().status == 408, data
    for data in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n"):
        with Connection(p.port) as c:
            c.send(data)
            assert c.answer().status in (400, 501, 505), data
    with Connection(p.port) as c:
        assert c.request(GET.replace(b"GET", b"PROPFIND"), "PROPFIND").status == 200


def test_reload_never_makes_a_tls_listener_plain(place):
    """What is listened on stays until a restart, and stays as it was."""
    p = place()
    first, rest = p.g.config.read_text().split("\n", 1)
    here = first.removeprefix("listen: [ ").removesuffix(" ]")
    other = f"{{ address: 127.0.0.1:{free_port()} }}"
    p.g.reload(f"listen: [ {other}, {here} ]\n{rest}")
    p.g.wait_event("reloaded")
    assert p.request().startswith(b"HTTP/1.1 200 ")
    mark = p.g.mark()
    p.g.reload(f"listen: [ {other} ]\n{rest}")
    p.g.wait_event("reloaded", after=mark)
    assert p.request().startswith(b"HTTP/1.1 200 ")
    with Connection(p.port) as c:
        c.send(GET)
        c.until_end()
        assert not c.data.startswith(b"HTTP/")


@pytest.mark.parametrize("tls", [True, False])
def test_draining_gives_newcomers_a_second(place, tls):
    p = place(tls=tls)
    hello = p.hello()
    silent, begun, late = (Connection(p.port) for _ in range(3))
    begun.send(hello[:50] if tls else b"P")
    p.admin.wait_metric("rouse_connections", 3)
    p.g.send_signal(signal.SIGTERM)
    p.g.wait_event("draining")
    began = time.monotonic()
    if tls:
        late.close()
    else:
        assert late.request(GET).status == 200
    with pytest.raises(BadAnswer):
        silent.answer()
    if not tls:
        begun.send(GET[1:].replace(b"ET", b"OST", 1))
        assert begun.answer("POST").status == 200
    begun.close()
    p.g.finish()
    assert time.monotonic() - began < 10
    silent.close()
