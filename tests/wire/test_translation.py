# SPDX-License-Identifier: BSD-2-Clause
"""Rows D1-D6, C11, F6, H5: what HTTP/2 may say, and what of it reaches a sandbox as HTTP/1.1.

Whatever is refused leaves no byte at the sandbox; whatever passes is one request, the same for a
strict parser, with one framing of ours.
"""

import random

import h11
import pytest

from rousetest import Connection, Gateway, Hook, Witness, frames, free_port
from rousetest.certs import Authority
from rousetest.fronts import Front
from rousetest.h2 import RawH2

HOST = "3000-blog.t.localhost"
END = frames.END_STREAM | frames.END_HEADERS


class Place:
    """One gateway with two sites, plain and TLS, before one witness."""

    def __init__(self, rouse, directory):
        self.ca = Authority()
        (directory / "certs").mkdir()
        self.ca.fill(directory / "certs", "*.t.localhost", "*.u.localhost")
        self.witness, self.hook = Witness(), Hook()
        self.witness.set(query=0)
        self.hook.sandbox("blog", "running", address=f"127.0.0.1:{self.witness.port}")
        self.port = {"h2c": free_port(), "h2s": free_port()}
        site = "platform: own, connect: { allow: [127.0.0.0/8] }"
        self.gateway = Gateway(rouse, f"""\
listen:
  - address: 127.0.0.1:{self.port['h2c']}
  - {{ address: "127.0.0.1:{self.port['h2s']}", tls: {{ certificates: {directory / 'certs'} }} }}
admin: {{ socket: "" }}
limits: {{ connections_per_source: off, connection_rate: off }}
platforms: {{ own: {self.hook.platform()} }}
sites:
  - {{ host: "*.t.localhost", {site} }}
  - {{ host: "*.u.localhost", {site} }}
""", directory)

    def front(self, kind):
        return Front(kind, self.port[kind], self.ca, HOST)

    def raw(self, kind):
        c = RawH2(self.front(kind).link())
        c.start()
        return c

    def received(self):
        """The bytes that reached the witness, a connection each, and forgets them."""
        got = [conn["bytes"] for conn in self.witness.conns() if conn["bytes"]]
        self.witness.reset()
        return got

    def stop(self):
        try:
            self.gateway.finish()
        finally:
            self.hook.stop()
            self.witness.stop()


@pytest.fixture(scope="module")
def place(rouse, tmp_path_factory):
    made = Place(rouse, tmp_path_factory.mktemp("translation"))
    yield made
    made.stop()


def fields(kind, *more, **pseudo):
    """A good request's fields; pseudo: others in place of them, None: without."""
    given = {"method": "GET", "scheme": "https" if kind == "h2s" else "http", "authority": HOST,
             "path": "/"} | pseudo
    return [(":" + name, value) for name, value in given.items() if value is not None] + list(more)


# (row, further fields, pseudo fields in place of the good ones)
REFUSED = [
    *[("D1", [("x-a", f"b{c}x: y")], {}) for c in ("\r\n", "\r", "\n", "\0")],
    *[("D1", [(f"x{c}a", "b")], {}) for c in ("\r\n", "\0", " ", ":", "\t", "(", "\x7f")],
    ("D1", [("X-Upper", "b")], {}), ("D1", [("", "b")], {}),
    *[("D1", [], {name: f"{good}{c}X: y"})
      for name, good in (("method", "GET"), ("path", "/"), ("authority", HOST), ("scheme", "http"))
      for c in ("\r\n", "\n", "\0")],
    ("D1", [], {"method": "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"}),
    *[("D2", [], {"path": path})
      for path in ("", "a", "//h\x80/", "/a b", "/a#b", "http://h/x", "?x", "*", "/\x7f", "/a\tb")],
    *[("D2", [], {"method": method}) for method in ("GE T", "", "GET\t", "G:T", "x" * 33)],
    ("D2", [], {"method": None}), ("D2", [], {"path": None}), ("D2", [], {"scheme": None}),
    ("D3", [], {"authority": None}), ("D3", [], {"authority": ""}),
    *[("D3", [], {"authority": name})
      for name in ("a,b", f"u@{HOST}", f"{HOST} ", f"{HOST}:0", f"{HOST}:99999", "[::1", "%61")],
    ("D3", [("host", "3000-other.t.localhost")], {}), ("D3", [("host", HOST), ("host", HOST)], {}),
    ("D4", [], {"scheme": "ftp"}), ("D4", [], {"scheme": ""}),
    ("D4 http on TLS", [], {"scheme": "http"}), ("D4 https on plain", [], {"scheme": "https"}),
    *[("D5", [(name, value)], {})
      for name, value in (("connection", "close"), ("connection", "x-a"), ("keep-alive", "a=1"),
                          ("proxy-connection", "close"), ("transfer-encoding", "chunked"),
                          ("upgrade", "h2c"), ("te", "gzip"), ("te", "trailers, gzip"))],
    *[("C11", [("content-length", value)], {"method": "POST"})
      for value in ("5", "-0", "+0", "0x0", "0,0", "1" * 20, "")],
    ("C11", [("content-length", "0"), ("content-length", "0")], {}),
    ("F6 CONNECT", [], {"method": "CONNECT", "scheme": None, "path": None}),
    ("F6 another protocol", [(":protocol", "connect-udp")], {"method": "CONNECT"}),
    ("F6 protocol without CONNECT", [(":protocol", "websocket")], {}),
    ("F6 version", [(":protocol", "websocket"), ("sec-websocket-version", "12")],
     {"method": "CONNECT"}),
    ("pseudo field twice", [(":path", "/b")], {}), ("unknown pseudo field", [(":a", "b")], {}),
    ("pseudo field behind a field", [("x", "y"), (":scheme", "http")], {"scheme": None}),
    ("pseudo field of an answer", [(":status", "200")], {}),
]


def applies(row, kind):
    return not ((row == "D4 http on TLS" and kind == "h2c") or
                (row == "D4 https on plain" and kind == "h2s"))


@pytest.mark.parametrize("kind", ["h2c", "h2s"])
def test_refused_and_nothing_reaches_the_sandbox(kind, place):
    place.received()
    wrong = []
    for row, more, pseudo in REFUSED:
        if not applies(row, kind):
            continue
        with place.raw(kind) as c:
            # Pseudo fields among `more` stand in their place, the rest behind.
            block = fields(kind, **pseudo)
            block += more
            if row.startswith("F6"):
                block.sort(key=lambda pair: not pair[0].startswith(":"))
            c.send(frames.headers(1, frames.block(block), END))
            c.barrier()
            said = c.outcome(1)
        good = said.startswith(("SE", "CE")) or said in (
            "status 400", "status 405", "status 414", "status 421", "status 426", "status 501")
        if not good or place.received():
            wrong.append(f"{row} {more} {pseudo}: {said}")
    assert not wrong, "\n".join(wrong)


# (what is said, bodies as DATA frames, trailers): more or less than content-length says.
LENGTHS = [("5", [b"1234"], None), ("5", [b"12345", b"6"], None),
           ("5", [b"12345", b"", b"6"], None),
           ("5", [b"123456"], None), ("5", [b"12", b"3456"], None),
           ("5", [b"1234"], [("x-t", "1")]), ("0", [b"1"], None), ("5", [], [("x-t", "1")])]


@pytest.mark.parametrize("kind", ["h2c", "h2s"])
def test_a_body_of_another_length_is_never_whole(kind, place):
    """C11: the sandbox sees nothing, or a request that breaks off."""
    for length, pieces, trailers in LENGTHS:
        place.received()
        with place.raw(kind) as c:
            c.send(frames.headers(1, frames.block(fields(kind, ("content-length", length),
                                                         method="POST"))))
            for n, piece in enumerate(pieces):
                last = n == len(pieces) - 1 and trailers is None
                c.send(frames.data(1, piece, frames.END_STREAM if last else 0))
            if trailers is not None:
                c.send(frames.headers(1, frames.block(trailers), END))
            c.barrier()
            said = c.outcome(1)
        assert said.startswith(("SE", "CE")) or said == "status 400", (length, pieces, said)
        for raw in place.received():
            with pytest.raises((h11.RemoteProtocolError, EOFError)):
                requests_in(raw)


def requests_in(raw):
    """What a strict parser sees: [(method, target, fields, body)]; EOFError when it breaks off."""
    parser, found = h11.Connection(h11.SERVER), []
    parser.receive_data(raw)
    parser.receive_data(b"")
    while True:
        event = parser.next_event()
        if isinstance(event, h11.Request):
            found.append([event.method, event.target, event.headers.raw_items(), b""])
        elif isinstance(event, h11.Data):
            found[-1][3] += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            parser.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            parser.send(h11.EndOfMessage())
            if parser.our_state is not h11.DONE or parser.their_state is not h11.DONE:
                return found
            parser.start_next_cycle()
        elif isinstance(event, h11.ConnectionClosed):
            return found
        else:
            raise EOFError(event)


def random_request(dice, number):
    """Fields, body pieces, and what must come of them."""
    method = dice.choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    path = "/" + "".join(dice.choice("abz09-._~!$&'()*+,;=:@%2F/?|{}\"<>^`") for _ in range(
        dice.randrange(30)))
    more = [(f"x-{n}", "".join(dice.choice("ab \t,;=\"\xe9") for _ in range(dice.randrange(20)))
             .strip(" \t")) for n in range(dice.randrange(6))]
    crumbs = [("cookie", f"c{n}={n}") for n in range(dice.randrange(4))]
    body = bytes(dice.randrange(256) for _ in range(dice.choice([0, 1, 7, 3000])))
    sized = dice.random() < 0.5
    if sized and body:
        more.append(("content-length", str(len(body))))
    more += [("x-rid", f"t.{number}"), *crumbs]
    dice.shuffle(more)
    return method, path, more, body


def send_request(c, kind, stream, request, dice):
    method, path, more, body = request
    block = frames.block(fields(kind, *more, method=method, path=path), coded=dice.random() < 0.5)
    if not body:
        c.send(frames.headers(stream, block, END))
        return
    c.send(frames.headers(stream, block))
    at = 0
    while at < len(body):
        n = dice.randrange(1, len(body) - at + 1)
        c.send(frames.data(stream, body[at:at + n],
                           frames.END_STREAM if at + n == len(body) else 0))
        at += n


def complaint(request, seen):
    method, path, more, body = request
    got_method, target, raw, got_body = seen
    names = [name.lower() for name, _ in raw]
    given = {name.lower(): value for name, value in raw}
    framing = [name for name in names if name in (b"content-length", b"transfer-encoding")]
    sized = any(name == "content-length" for name, _ in more)
    if (got_method.decode(), target.decode("latin-1"), got_body) != (method, path, body):
        return "method, target or body differ"
    if names.count(b"host") != 1 or given[b"host"] != HOST.encode():
        return "host"
    if body and framing != [b"content-length" if sized else b"transfer-encoding"]:
        return f"framing {framing}"
    if not body and framing != ([b"content-length"] if method in ("POST", "PUT", "PATCH") else []):
        return f"framing of no body {framing}"
    crumbs = "; ".join(value for name, value in more if name == "cookie")
    if given.get(b"cookie", b"").decode() != crumbs or names.count(b"cookie") > 1:
        return "cookies"
    for name, value in more:
        if name.startswith("x-") and given.get(name.encode()) != value.encode("latin-1"):
            return f"{name} differs"
    return None


@pytest.mark.parametrize("kind", ["h2c", "h2s"])
def test_what_passes_is_the_same_request(kind, place):
    """D6 as a property: fields and bodies at random, in frames and codings at random."""
    dice = random.Random(kind)
    requests = [random_request(dice, number) for number in range(200)]
    place.received()
    with place.raw(kind) as c:
        for number, request in enumerate(requests):
            stream = 2 * number + 1
            send_request(c, kind, stream, request, dice)
            c.until(lambda one, at=stream: one.stream == at and one.has(frames.END_STREAM)
                    and one.type in (frames.HEADERS, frames.DATA))
            assert c.status(stream) == 200, request
    seen = {}
    for raw in place.received():
        for one in requests_in(raw):
            rid = next(value for name, value in one[2] if name.lower() == b"x-rid")
            assert rid not in seen, "sent twice"
            seen[rid] = one
    wrong = [f"{why}: {request} -> {seen[f't.{n}'.encode()]}" for n, request in enumerate(requests)
             if (why := complaint(request, seen[f"t.{n}".encode()]))]
    assert not wrong, "\n".join(wrong[:5])
    assert len(seen) == len(requests)


def test_a_name_of_another_site_is_misdirected(place):
    """H5: by request, not by connection; names of one site may share a connection."""
    place.received()
    with place.raw("h2s") as c:
        for stream, authority, status in (
                (1, HOST, 200), (3, "3000-blog.u.localhost", 421), (5, HOST.upper(), 200),
                (7, "3000-blog.t.localhost.", 200), (9, "nowhere.example", 404), (11, HOST, 200)):
            c.send(frames.headers(stream, frames.block(fields("h2s", authority=authority)), END))
            c.until(lambda one, at=stream: one.stream == at and one.has(frames.END_STREAM))
            assert c.status(stream) == status, authority
    assert sum(raw.count(b"GET / HTTP/1.1") for raw in place.received()) == 4


def test_a_name_of_another_site_is_misdirected_over_http1(place):
    front = Front("h1s", place.port["h2s"], place.ca, HOST)
    with front.connect() as c:
        assert c.request("GET", "/", host=HOST).status == 200
    with front.connect() as c:
        assert c.request("GET", "/", host="3000-blog.u.localhost").status == 421


def test_no_name_means_the_default_certificate(place):
    """Without SNI there is none here: the handshake is refused, and nothing wakes."""
    with pytest.raises(Exception):
        front = Front("h2s", place.port["h2s"], place.ca, HOST)
        context = front.context()
        context.check_hostname = False
        with front.link(context=context, name=None) as link:
            link.handshake()
            raise AssertionError("a handshake without a name went through")


def test_plain_bytes_on_the_tls_port_and_tls_on_the_plain_one(place):
    """A14: neither is served, both end."""
    with Connection(place.port["h2s"]) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode())
        c.until_end()
        assert b"HTTP" not in c.data
    with Connection(place.port["h2c"]) as c:
        assert c.request(b"\x16\x03\x01\x00\x05hello\r\n\r\n", "GET").status == 400
