# SPDX-License-Identifier: BSD-2-Clause
"""PROXY headers (RELIABILITY G3): who the client is, by a balancer's word, and by nobody else's."""

import re
import socket
import ssl
import struct
import time

import pytest
from rousetest import Connection, free_port, play
from rousetest.admin import Admin
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.raw import bytewise

HOST = "3000-blog.t.localhost"
GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
V1 = b"PROXY TCP4 203.0.113.7 192.0.2.1 5678 80\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(source="203.0.113.7", port=5678, command=1, tlvs=b""):
    six = ":" in source
    family = socket.AF_INET6 if six else socket.AF_INET
    block = b"".join([socket.inet_pton(family, source),
                      socket.inet_pton(family, "::1" if six else "192.0.2.1"),
                      struct.pack(">HH", port, 80), tlvs])
    return (SIGNATURE + bytes([0x20 | command, 0x21 if six else 0x11])
            + struct.pack(">H", len(block)) + block)


LOCAL = SIGNATURE + b"\x20\0\0\0"


class Place:
    """A listener with proxy_protocol on, and a sandbox."""

    def __init__(self, gateway, witness, hook, listener="", state="running", **options):
        self.w, self.h = witness(), hook()
        self.h.sandbox("blog", state, address=f"127.0.0.1:{self.w.port}")
        self.admin, self.port = Admin(), free_port()
        text = one_site(self.port, self.h, admin=self.admin.config, workers=1, **options)
        self.text = text.replace(f"127.0.0.1:{self.port} }}",
                                 f"127.0.0.1:{self.port}, proxy_protocol: on{listener} }}")
        self.g = gateway(self.text)

    def clients(self):
        """X-Forwarded-For of the requests that came, sorted."""
        raw = b"".join(conn["bytes"] for conn in self.w.conns())
        return sorted(re.findall(r"(?im)^x-forwarded-for: (.*)\r$", raw.decode()))

    def refused(self, data, pieces=None):
        """Sends data; the connection ends without a byte."""
        with Connection(self.port) as c:
            try:
                for piece in pieces or [data]:
                    c.send(piece)
            except (ConnectionResetError, BrokenPipeError):
                pass
            c.until_end()
            assert c.data == b""


@pytest.fixture
def place(gateway, witness, hook):
    return lambda *args, **options: Place(gateway, witness, hook, *args, **options)


@pytest.mark.parametrize("header,client", [
    (V1, "203.0.113.7"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 5678 80\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 5678 80\r\n", "203.0.113.7"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    (b"PROXY UNKNOWN 203.0.113.7 whatever\r\n", "127.0.0.1"),
    (v2(), "203.0.113.7"),
    (v2("2001:db8::7"), "2001:db8::7"),
    (v2("::ffff:203.0.113.7"), "203.0.113.7"),
    (v2(tlvs=b"\x02\0\x01a\x04\0\0\xea\0\x03\x01vp"), "203.0.113.7"),
    (v2(command=0), "127.0.0.1"),
    (LOCAL, "127.0.0.1"),
], ids=["v1", "v1-ipv6", "v1-mapped", "unknown", "unknown-words", "v2", "v2-ipv6", "v2-mapped",
        "v2-tlvs", "local-with-block", "local"])
def test_client_is_who_the_header_names(place, header, client):
    p = place()
    with Connection(p.port) as c:
        assert c.request(header + GET, "GET").status == 200
        assert c.request(GET).status == 200     # and goes on being it
    assert p.clients() == [client] * 2
    assert [e["client.address"] for e in p.g.wait_access(2)] == [client, client]


@pytest.mark.parametrize("header", [V1, v2()], ids=["v1", "v2"])
def test_header_may_be_cut_anywhere(place, header):
    p = place()
    data = header + GET
    items = [([data[:cut], data[cut:]], ["GET"]) for cut in range(1, len(header) + 3)]
    items.append((bytewise(data), ["GET"]))
    for played in play(p.port, items):
        assert [a.status for a in played.answers] == [200], played
    assert p.clients() == ["203.0.113.7"] * len(items)


BAD = {
    "none": GET, "tls": b"\x16\x03\x01\x02\0\x01\0", "h2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower": b"proxy TCP4 203.0.113.7 192.0.2.1 5678 80\r\n" + GET,
    "bare-lf": V1.replace(b"\r\n", b"\n") + GET, "bare-cr": V1.replace(b"\n", b"x") + GET,
    "family": V1.replace(b"TCP4", b"TCP6") + GET, "udp": V1.replace(b"TCP4", b"UDP4") + GET,
    "port": V1.replace(b"5678", b"65536") + GET, "zero": V1.replace(b"203", b"0203") + GET,
    "spaces": V1.replace(b"TCP4 ", b"TCP4  ") + GET, "more": V1.replace(b" 80\r", b" 80 1\r") + GET,
    "endless": b"PROXY UNKNOWN " + b"x" * 200, "twice-lf": b"PROXY UNKNOWN\n\r\n" + GET,
    "signature": SIGNATURE[:11] + b"\0" + v2()[12:] + GET,
    "version": SIGNATURE + b"\x11\x11\0\0" + GET, "command": SIGNATURE + b"\x22\x11\0\0" + GET,
    "datagram": SIGNATURE + b"\x21\x12\0\x0c" + b"\0" * 12,
    "short": SIGNATURE + b"\x21\x21\0\x0c" + b"\0" * 12 + GET,
    "huge": SIGNATURE + b"\x21\x11\xff\xff",
    "tlv": v2(tlvs=b"\x01\xff\xffa") + GET, "checksum": v2(tlvs=b"\x03\0\x04\0\0\0\0") + GET,
}


def test_anything_else_is_closed(place):
    p = place(state="paused")
    for data in BAD.values():
        p.refused(data)
        if len(data) < 64:
            p.refused(data, bytewise(data))
    count = len(BAD) + sum(len(data) < 64 for data in BAD.values())
    events = p.g.wait_events("connection_refused", count, reason="proxy_header")
    assert {e["detail"] for e in events} >= {"no PROXY header", "wrong checksum", "malformed TLV"}
    assert p.admin.metric('rouse_ends_total{error="proxy_header"}') == count
    assert p.h.count("resume") == p.h.count("inspect") == 0
    with Connection(p.port) as c:   # and nobody was harmed
        assert c.request(V1 + GET, "GET").status == 200


def test_header_must_come_within_a_second(place):
    p = place()
    for data in (b"", V1[:20], v2()[:20]):
        began = time.monotonic()
        p.refused(data)
        assert time.monotonic() - began < 10
    began = time.monotonic()
    with Connection(p.port) as c:   # a byte each 100 ms does not prolong it
        for i in range(len(V1) - 1):
            try:
                c.send(V1[i:i + 1])
                c.pull(0.1)
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
            assert c.end and not c.data
            break
    assert time.monotonic() - began < 4
    p.g.wait_events("connection_refused", 4, detail="not complete in time")


def test_the_request_behind_it_may_take_its_time(place):
    p = place()
    with Connection(p.port) as c:
        c.send(V1)
        p.admin.wait_metric("rouse_connections", 1)
        with pytest.raises(TimeoutError):
            c.pull(1.5)
        assert c.request(GET).status == 200


@pytest.mark.parametrize("trusted,served", [("127.0.0.1", True), ("10.0.0.0/8", False)])
def test_only_trusted_peers_where_there_is_a_list(place, trusted, served):
    p = place(f", trusted_proxies: [{trusted}]")
    if not served:
        p.refused(V1 + GET)
        event = p.g.wait_event("connection_refused", reason="proxy_header")
        assert event["client.address"].startswith("127.0.0.1:")
        return
    with Connection(p.port) as c:
        assert c.request(V1 + GET, "GET").status == 200
    assert p.clients() == ["203.0.113.7"]


def test_trust_in_fields_is_for_whom_the_header_names(place):
    """The balancer's own trust is not its clients': their X-Forwarded-For goes."""
    p = place(", trusted_proxies: [127.0.0.1, 203.0.113.8]")
    claim = GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n")
    for header in (V1, V1.replace(b"113.7", b"113.8")):
        with Connection(p.port) as c:
            assert c.request(header + claim, "GET").status == 200
    assert p.clients() == ["198.51.100.9, 203.0.113.8", "203.0.113.7"]


def test_limits_count_the_announced(place):
    p = place(limits={"connections_per_source": 3})
    kept = [Connection(p.port) for _ in range(3)]
    for c in kept:
        assert c.request(V1 + GET, "GET").status == 200
    p.refused(V1 + GET)
    event = p.g.wait_event("connection_refused", reason="connection_limit")
    assert event["client.address"] == "203.0.113.7:5678"
    assert event["network.peer.address"].startswith("127.0.0.1:")
    for client in range(8, 12):     # others, though all come from one balancer
        kept.append(Connection(p.port))
        header = V1.replace(b"113.7", b"113.%d" % client)
        assert kept[-1].request(header + GET, "GET").status == 200
    kept[0].close()
    p.admin.wait_metric("rouse_connections", len(kept) - 1)
    with Connection(p.port) as c:
        assert c.request(V1 + GET, "GET").status == 200
    for c in kept:
        c.close()


def test_no_header_is_understood_where_none_was_asked_for(gateway, witness, hook):
    h, port = hook(), free_port()
    h.sandbox("blog", "running", address=f"127.0.0.1:{witness().port}")
    gateway(one_site(port, h))
    with Connection(port) as c:
        assert c.request(V1 + GET, "GET").status == 400


def test_before_tls(place, tmp_path):
    authority = Authority()
    authority.fill(tmp_path, "*.t.localhost")
    p = place(f", tls: {{ certificates: {tmp_path} }}")
    context = authority.client_context(alpn=["http/1.1"])
    for header, pieces in ((V1, [V1]), (v2(), bytewise(v2()))):
        with socket.create_connection(("127.0.0.1", p.port), timeout=20) as plain:
            for piece in pieces:
                plain.sendall(piece)
            with context.wrap_socket(plain, server_hostname=HOST) as c:
                c.sendall(GET)
                assert c.recv(65536).startswith(b"HTTP/1.1 200 "), header
    assert p.clients() == ["203.0.113.7"] * 2
    p.refused(GET)
    with socket.create_connection(("127.0.0.1", p.port), timeout=20) as plain:
        with pytest.raises((ssl.SSLError, ConnectionResetError, OSError)):
            context.wrap_socket(plain, server_hostname=HOST)


def test_reload_turns_it_off(place):
    p = place()
    p.refused(GET)
    mark = p.g.mark()
    p.g.reload(p.text.replace("proxy_protocol: on", "proxy_protocol: off"))
    p.g.wait_event("reloaded", after=mark)
    deadline = time.monotonic() + 20
    while True:     # each worker takes it over in its own time
        with Connection(p.port) as c:
            c.send(GET)
            c.pull()
            if c.data:
                assert c.answer().status == 200
                break
        assert time.monotonic() < deadline
