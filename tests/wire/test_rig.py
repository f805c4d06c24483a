# SPDX-License-Identifier: BSD-2-Clause
"""The rig of the protocols: clients, origins and certificates, against each other and curl."""

import contextlib
import json
import os
import ssl
import subprocess

import pytest
from rousetest import frames, websocket
from rousetest.certs import Authority
from rousetest.flow import Broken
from rousetest.fronts import Front
from rousetest.h2 import RawH2
from rousetest.link import Ended, Link
from rousetest.origin import KINDS, Origin

CA = Authority()
LEAF = CA.leaf("o.t", "127.0.0.1")
SECURE = {"h1s": ["http/1.1"], "h2s": ["h2"]}


@pytest.fixture(params=KINDS)
def pair(request):
    """(Front, Origin) of one kind."""
    kind = request.param
    context = CA.server_context(LEAF, SECURE[kind]) if kind in SECURE else None
    with Origin(kind, context) as origin:
        yield Front(kind, origin.port, CA, "o.t"), origin


@pytest.mark.parametrize("bytewise", [False, True], ids=["whole", "bytewise"])
def test_requests_on_one_connection(pair, bytewise):
    front, origin = pair
    with front.connect(bytewise) as c:
        for rid in "123":
            told = c.request("GET", "/hello", headers=[("x-rid", rid)])
            assert (told.status, told.body) == (200, f"o conn=1 rid={rid}\n".encode())
        said = json.loads(c.request("POST", "/digest", body=b"x" * 3000).body)
        assert said["length"] == 3000
        said = json.loads(c.request("POST", "/digest", chunks=[b"abc", b"d"],
                                    trailers=[("tr", "1")]).body)
        assert (said["length"], said["trailers"]) == (4, [["tr", "1"]])
        assert c.request("HEAD", "/hello").body == b""
    assert origin.connections == 1


def test_streams_both_ways(pair):
    front, _ = pair
    with front.connect() as c:
        flow = c.open("POST", "/echo", length=None).wait_head()
        for part in (b"hello", b"more"):
            flow.send(part)
            assert flow.read_exactly(len(part)) == part
        flow.finish()
        assert flow.told().trailers == [("x-echoed", "9")]
    with front.connect() as c:
        body = os.urandom(3_000_000)
        assert c.request("POST", "/echo", body=body).body == body


def test_websockets(pair):
    front, origin = pair
    with front.connect() as c:
        flow = c.ask_websocket("/ws")
        request = origin.take()
        assert request.protocol == "websocket"
        request.accept(data=websocket.frame(websocket.TEXT, b"first", masked=False))
        mine, theirs = websocket.WebSocket(flow.wait_head()), websocket.WebSocket(request, False)
        assert mine.receive() == (websocket.TEXT, b"first")
        mine.send(b"x" * 70000)
        assert theirs.receive() == (websocket.BINARY, b"x" * 70000)
        flow.finish()
        request.wait_ended()
        request.send(b"last").finish()
        assert flow.read_all() == b"last"
    with front.connect() as c:
        flow = c.ask_websocket("/ws")
        origin.take().respond(403, body=b"no")
        told = flow.told()
        assert (told.status, told.body, flow.tunnel) == (403, b"no", False)


def test_interims_and_departures(pair):
    front, origin = pair
    with front.connect() as c:
        flow, request = c.open("GET", "/slow"), origin.take()
        request.interim(103, [("link", "</x>")])
        assert flow.wait_interim() == [(103, [("link", "</x>")])]
        request.respond(200).send(b"a")
        assert flow.read() == b"a"
        flow.cancel()
        assert request.wait_gone() == ("rst_stream CANCEL" if front.h2 else "fin")
    with front.connect() as c:
        flow = c.open("GET", "/slow")
        origin.take().respond(200).send(b"a").reset(frames.INTERNAL_ERROR)
        assert flow.wait_broken() == ("rst_stream INTERNAL_ERROR" if front.h2 else "rst")
        with pytest.raises(Broken):
            flow.read_all()
    origin.wait_idle()


@pytest.mark.parametrize("kind", SECURE)
def test_curl_agrees(kind, tmp_path):
    ca = CA.write(tmp_path / "ca.pem")
    (tmp_path / "body").write_bytes(b"y" * 200_000)
    for secure in (True, False):
        real = kind if secure else {"h1s": "h1", "h2s": "h2c"}[kind]
        context = CA.server_context(LEAF, SECURE[kind]) if secure else None
        with Origin(real, context) as origin:
            version = {"h1": "--http1.1", "h1s": "--http1.1", "h2s": "--http2",
                       "h2c": "--http2-prior-knowledge"}[real]
            url = f"{'https' if secure else 'http'}://127.0.0.1:{origin.port}/echo"
            said = subprocess.run(["curl", "-sS", version, "--cacert", ca, "-o", tmp_path / "back",
                                   "--data-binary", f"@{tmp_path / 'body'}", "-w",
                                   "%{http_version} %{http_code}", url], capture_output=True,
                                  text=True, check=True, timeout=60)
            assert said.stdout == ("2 200" if real in ("h2c", "h2s") else "1.1 200")
            assert (tmp_path / "back").read_bytes() == b"y" * 200_000


def test_raw_client_sends_anything():
    with Origin("h2c") as origin:
        with RawH2(Link.connect(origin.port)) as c:
            c.start()
            fields = frames.request_fields(path="/hello")
            c.send(frames.headers(1, frames.block(fields), frames.END_STREAM | frames.END_HEADERS))
            c.barrier()
            assert c.outcome(1) == "status 200"
        with RawH2(Link.connect(origin.port)) as c:
            c.start()
            c.send(frames.frame(frames.PING, 0, 1, b"12345678"))
            assert c.wait_end() == "fin" and c.outcome() == "close"
        origin.wait(lambda: origin.violations, "violation")
        assert origin.violations.pop().startswith("Violation: PING")


def test_raw_server_is_a_script():
    def script(link):
        c = RawH2(link, server=True).start()
        c.until(lambda one: one.type == frames.HEADERS)
        c.send(frames.headers(1, frames.block([(":status", "200")])),
               frames.rst_stream(1, frames.ENHANCE_YOUR_CALM))
        c.wait_end()

    with Origin("h2c", script=script) as origin, Front("h2c", origin.port, host="x").connect() as c:
        flow = c.open("GET")
        assert flow.wait_broken() == "rst_stream ENHANCE_YOUR_CALM"


@pytest.mark.parametrize("trick, why", [
    (frames.headers(1, frames.block([(":status", "200"), ("Upper", "x")])), "field"),
    (frames.headers(1, frames.block([(":status", "200"), ("connection", "x")])), "connection"),
    (frames.headers(1, frames.block([("x", "y"), (":status", "200")])), "pseudo"),
    (frames.headers(1, frames.block([(":status", "200")])) + frames.data(1, bytes(65536)), "frame"),
    (frames.headers(1, frames.block([(":status", "200"), ("content-length", "5")]))
     + frames.data(1, b"x", frames.END_STREAM), "content-length"),
    (frames.data(1, b"x"), "no body"),
    (frames.window_update(0, 0), "WINDOW_UPDATE"),
    (frames.push_promise(1, 2, b""), "PUSH_PROMISE"),
    (frames.window_update(3, 5), "idle"),
], ids=lambda one: one if isinstance(one, str) else "")
def test_client_is_strict(trick, why):
    def script(link):
        c = RawH2(link, server=True).start(wait=False)
        c.until(lambda one: one.type == frames.HEADERS)
        c.send(trick)
        with contextlib.suppress(Ended):
            c.wait_end()

    with Origin("h2c", script=script) as origin, Front("h2c", origin.port, host="x").connect() as c:
        flow = c.open("GET")
        assert why in flow.wait_broken(), flow.broken


def test_certificates(tmp_path):
    other = Authority("someone else")
    for leaf, ca in ((CA.leaf("o.t", expired=True), CA), (CA.leaf("o.t", early=True), CA),
                     (CA.leaf("p.t"), CA), (other.leaf("o.t"), CA)):
        with Origin("h1s", CA.server_context(leaf, SECURE["h1s"])) as origin:
            with pytest.raises(ssl.SSLError):
                Front("h1s", origin.port, ca, "o.t").link()
    middle = Authority("in between", above=CA)
    server = CA.server_context(middle.leaf("*.a.t"), ["h2"], client_authority=CA)
    with Origin("h2s", server) as origin:
        front = Front("h2s", origin.port, CA, "x.a.t")
        client = CA.leaf("someone", client=True)
        with front.connect(context=CA.client_context(["h2"], client)) as c:
            assert c.request("GET", "/hello").status == 200
    made = CA.fill(tmp_path, "a.t", "*.t", "127.0.0.1", default="z.t", underscore=True)
    CA.fill(tmp_path, "k.t", nested=True)
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.t.crt", "a.t.key", "_.t.crt", "_.t.key", "127.0.0.1.crt", "127.0.0.1.key",
        "default.crt", "default.key", "k.t"}
    with Origin("h1s", CA.server_context(made["a.t"], SECURE["h1s"])) as origin:
        with Front("h1s", origin.port, CA, "a.t").connect() as c:
            assert c.link.tls.getpeercert()["serialNumber"] == made["a.t"].serial


def test_every_kind_of_end():
    ends = []

    def script(link):
        how = ends[-1]
        if how == "rst":
            link.reset()
        else:
            link.half_close(notify=how == "fin")

    with Origin("h1s", CA.server_context(LEAF, []), script=script) as origin:
        for how in ("fin", "cut", "rst"):
            ends.append(how)
            with Link.connect(origin.port, CA.client_context(), "o.t") as link:
                assert link.wait_end() == how
