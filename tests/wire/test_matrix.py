# SPDX-License-Identifier: BSD-2-Clause
"""One body of tests over every pair of protocols: {h1, h2} front x {h1, h2} back, plain and TLS,
bytes sent whole or one at a time, the sandbox awake, held through a wake, or dead."""

import hashlib
import json
import os
import re
import threading

import pytest
from rousetest import frames, matrix, websocket
from rousetest.faults import skip_if_instrumented
from rousetest.flow import Broken
from rousetest.matrix import error
from rousetest.websocket import WebSocket


@pytest.fixture(scope="module")
def place(rouse, tmp_path_factory):
    made = matrix.Place(rouse, tmp_path_factory.mktemp("matrix"))
    yield made
    made.finish()


def over(**options):
    """Runs a test over all combinations, or those of some kinds."""
    def wrap(test):
        number = sum(test.__name__.encode())
        return pytest.mark.parametrize("combination", matrix.combinations(number, **options),
                                       ids=matrix.name)(test)
    return wrap


@pytest.fixture
def m(place, combination):
    front, back, bytewise, state = combination
    with place.case(front, back, bytewise, state) as case:
        yield case


H2 = ("h2c", "h2s")
H1 = ("h1", "h1s")
WHOLE = (False,)


# ---- whole requests


@over()
def test_get(m):
    with m.connect() as c:
        told = m.request(c, path="/hello?q=%2f{}|^", headers=[("x-rid", "r1"), ("te", "trailers")])
    assert (told.status, told.body) == (200, b"o conn=1 rid=r1\n")
    assert re.fullmatch("[0-9a-f]{32}", told.get("x-request-id")), told.headers
    assert not told.all("connection") and not told.all("keep-alive")
    assert told.all("server-timing") or m.state != "woken"
    request = m.origin.requests[0]
    assert (request.method, request.path, request.host) == ("GET", "/hello?q=%2f{}|^", m.host)
    assert request.get("x-forwarded-proto") == ("https" if m.front.tls else "http")
    assert request.get("x-forwarded-for") == "127.0.0.1"
    assert request.get("x-forwarded-host") == m.host
    assert request.get("content-length", "0") == "0" and not request.all("transfer-encoding")
    assert len(m.origin.requests) == 1


@over()
def test_head(m):
    with m.connect() as c:
        told = m.request(c, "HEAD")
        assert (told.status, told.body) == (200, b"")
        assert told.get("content-length") == str(len(b"o conn=1 rid=-\n"))
        assert m.request(c, "GET").status == 200


@over()
@pytest.mark.parametrize("size", [0, 1, 5000])
def test_post(m, size):
    body = os.urandom(size)
    with m.connect() as c:
        told = m.request(c, "POST", "/digest", body=body)
    said = json.loads(told.body)
    assert (said["length"], said["sha256"]) == (size, hashlib.sha256(body).hexdigest())
    headers = dict(map(tuple, said["headers"]))
    assert headers.get("content-length", "0" if m.origin.h2 else None) == str(size), headers


@over(cuts=WHOLE)
def test_large_body(m):
    body = os.urandom(1_500_000)
    with m.connect() as c:
        said = json.loads(m.request(c, "PUT", "/digest", body=body).body)
    assert (said["length"], said["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


@over()
def test_body_of_unknown_length(m):
    with m.connect() as c:
        flow = c.open("POST", "/digest", m.host, length=None)
        for part in (b"one", b"", b"two" * 500):
            flow.send(part)
        m.go()
        flow.finish()
        said = json.loads(flow.told().body)
    assert said["length"] == 1503
    headers = dict(map(tuple, said["headers"]))
    assert "content-length" not in headers
    assert headers.get("transfer-encoding") == (None if m.origin.h2 else "chunked")


@over(cuts=WHOLE)
def test_large_answer(m):
    with m.connect() as c:
        flow = c.open("GET", "/big", m.host)
        m.go()
        body = os.urandom(2_000_000)
        m.origin.take().respond(200, [("x-a", "b")], body)
        told = flow.told()
    assert told.body == body and told.get("content-length") == str(len(body))


@over()
@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(m, status):
    with m.connect() as c:
        flow = c.open("GET", "/none", m.host)
        m.go()
        m.origin.take().respond(status, [("etag", '"x"')], framing="none").finish()
        told = flow.told()
        assert (told.status, told.body, told.get("etag")) == (status, b"", '"x"')
        assert m.request(c).status == 200


@over()
def test_several_on_one_connection(m):
    with m.connect() as c:
        m.request(c)
        if c.h2:
            flows = [c.open("GET", "/hello", m.host, [("x-rid", str(n))]) for n in range(10)]
            answers = [flow.told() for flow in flows]
        else:
            answers = [m.request(c, headers=[("x-rid", str(n))]) for n in range(10)]
    assert [told.get("x-origin-rid") for told in answers] == [str(n) for n in range(10)]
    assert len(m.origin.requests) == 11
    assert m.origin.connections == 1 or (not m.origin.h2 and m.front.h2)


# ---- streams


@over()
def test_answer_is_flushed_at_once(m):
    with m.connect() as c:
        flow = c.open("GET", "/slow", m.host)
        m.go()
        request = m.origin.take()
        request.respond(200)
        flow.wait_head()
        for part in (b"one", b"2", b"three"):
            request.send(part)
            assert flow.read_exactly(len(part)) == part
        request.finish()
        assert flow.read_all() == b""


@over(cuts=WHOLE)
def test_events(m):
    with m.connect() as c:
        flow = c.open("GET", "/events", m.host, [("accept", "text/event-stream")])
        m.go()
        request = m.origin.take().respond(200, [("content-type", "text/event-stream")])
        assert flow.wait_head().get("content-type") == "text/event-stream"
        for number in range(3):
            event = b"data: %d\n\n" % number
            request.send(event)
            assert flow.read_exactly(len(event)) == event
        flow.cancel()
        request.wait_gone()


@over()
def test_both_directions_at_once(m):
    with m.connect() as c:
        flow = c.open("POST", "/echo", m.host, length=None)
        flow.send(b"first")
        m.go()
        flow.wait_head()
        assert flow.read_exactly(5) == b"first"
        for part in (b"second", b"x" * 2000):
            flow.send(part)
            assert flow.read_exactly(len(part)) == part
        flow.finish()
        assert flow.read_all() == b""


@over(cuts=WHOLE)
def test_large_echo(m):
    body = os.urandom(1_000_000)
    with m.connect() as c:
        assert m.request(c, "POST", "/echo", body=body).body == body


@over()
def test_trailers_of_the_answer(m):
    with m.connect() as c:
        flow = c.open("GET", "/t", m.host, [("te", "trailers")])
        m.go()
        request = m.origin.take()
        request.respond(200, [("trailer", "x-sum")], b"abc", "chunked", [("x-sum", "9")])
        told = flow.told()
    assert (told.body, told.trailers) == (b"abc", [("x-sum", "9")])


@over()
def test_trailers_of_the_request(m):
    """They go on to HTTP/2, by its own means; HTTP/1 gets none."""
    with m.connect() as c:
        flow = c.open("POST", "/digest", m.host, [("te", "trailers")], length=None)
        flow.send(b"abc").finish([("x-sum", "9"), ("host", "evil")] if not c.h2
                                 else [("x-sum", "9")])
        m.go()
        said = json.loads(flow.told().body)
    assert said["length"] == 3
    assert said["trailers"] in ([["x-sum", "9"]] if m.origin.h2 else [], [])


@over()
def test_early_hints(m):
    with m.connect() as c:
        flow = c.open("GET", "/hints", m.host)
        m.go()
        request = m.origin.take().interim(103, [("link", "</a.css>")])
        assert flow.wait_interim() == [(103, [("link", "</a.css>")])]
        request.interim(103, [("link", "</b.css>")])
        request.respond(200, body=b"ok")
        told = flow.told()
    assert (told.status, told.body, len(told.interims)) == (200, b"ok", 2)


@over(cuts=WHOLE)
def test_continue(m):
    """Our own 100, when the sandbox takes the body; the sandbox's own goes no further."""
    with m.connect() as c:
        flow = c.open("POST", "/x", m.host, [("expect", "100-continue")], length=5)
        m.go()
        assert [status for status, _ in flow.wait_interim()] == [100]
        request = m.origin.take().interim(100)
        assert not request.all("expect")
        flow.send(b"hello").finish()
        assert request.read_all() == b"hello"
        request.respond(200, body=b"ok")
        told = flow.told()
    assert (told.status, [status for status, _ in told.interims]) == (200, [100])


# ---- who does not read


MUCH = 24 << 20     # more than all the kernel's buffers on the way


def stir(place):
    """Other traffic, so that the gateway has had time to swallow what it should not."""
    with place.case("h1", "h1") as other, other.connect() as c:
        for _ in range(50):
            assert other.request(c).status == 200


def read_and_say(request):
    """Reads a body to its end and answers how long it was."""
    got = 0
    while not request.ended:
        got += len(request.read())
    got += len(request.read_all())
    request.respond(200, body=str(got).encode())


@over(cuts=WHOLE, states=("awake",))
def test_client_that_does_not_read(m):
    with m.connect(**({"credit": "read"} if m.front.h2 else {})) as c:
        flow = c.open("GET", "/much", m.host)
        request = m.origin.take().respond(200, body=bytes(MUCH))
        flow.wait_head()
        stir(m.place)
        with m.origin.lock:
            assert request.pending + request.session.link.unsent > 0, "all of it was taken"
        got = 0
        while not flow.ended:
            got += len(flow.read())
        assert got + len(flow.read_all()) == MUCH


@over(cuts=WHOLE, states=("awake",))
def test_sandbox_that_does_not_read(place, combination):
    front, back, _, _ = combination
    with place.case(front, back, **({"credit": "read"} if back in H2 else {})) as m:
        with m.connect() as c:
            flow = c.open("POST", "/much", m.host, length=MUCH)
            request = m.origin.take()
            with m.origin.lock:
                request.session.link.deaf = back in H1
            flow.send(bytes(MUCH), wait=False).finish()
            stir(place)
            assert flow.pending + c.link.unsent > 0, "all of it was taken"
            with m.origin.lock:
                request.session.link.deaf = False
                m.origin.wake()
            reader = threading.Thread(target=read_and_say, args=(request,))
            reader.start()
            assert flow.told(60).body == str(MUCH).encode()
            reader.join()


def test_memory_of_those(place):
    skip_if_instrumented()
    assert place.gateway.resident_bytes() < 60 << 20


# ---- departures


@over()
def test_client_leaves_before_the_answer(m):
    with m.connect() as c:
        flow = c.open("GET", "/wait", m.host)
        m.go()
        request = m.origin.take()
        flow.cancel()
        request.wait_gone()


@over()
def test_client_leaves_within_the_answer(m):
    with m.connect() as c:
        flow = c.open("GET", "/wait", m.host)
        m.go()
        request = m.origin.take().respond(200).send(b"x")
        flow.read()
        flow.cancel()
        request.wait_gone()


@over()
def test_client_leaves_within_its_body(m):
    """What it sent must not look complete."""
    with m.connect() as c:
        flow = c.open("POST", "/wait", m.host, length=None)
        flow.send(b"part")
        m.go()
        request = m.origin.take()
        assert request.read_exactly(4) == b"part"
        flow.cancel()
        request.wait_broken()


@over(states=("held",))
def test_client_leaves_while_held(m):
    with m.connect() as c:
        flow = c.open("POST", "/left", m.host, length=3)
        flow.send(b"abc").finish()
        m.hook.wait_calls("resume", id=m.id)
        mark = m.place.gateway.mark()
        flow.cancel()
        m.place.gateway.wait_access(after=mark, sandbox__id=m.id, http__response__status_code=499)
    with m.connect() as c:
        assert m.request(c).status == 200
    assert [request.path for request in m.origin.requests] == ["/hello"]


# ---- a sandbox that breaks


@over()
def test_reset_before_the_answer(m):
    with m.connect() as c:
        flow = c.open("POST", "/x", m.host, length=5)
        flow.send(b"hello").finish()
        m.go()
        request = m.origin.take()
        request.wait_ended()
        request.reset(frames.INTERNAL_ERROR)
        assert error(flow.told()) == (502, "upstream_reset", "maybe")
    assert len(m.origin.requests) == 1


@over()
@pytest.mark.parametrize("framing", ["cl", "chunked"])
def test_reset_within_the_answer(m, framing):
    """Never a clean end."""
    with m.connect() as c:
        flow = c.open("GET", "/x", m.host)
        m.go()
        headers = [("content-length", "100")] if framing == "cl" else []
        request = m.origin.take().respond(200, headers).send(b"x" * 50)
        assert flow.read_exactly(50) == b"x" * 50
        request.reset(frames.INTERNAL_ERROR)
        flow.wait_broken()


@over(backs=H2)
@pytest.mark.parametrize("how", ["refused", "goaway"])
def test_not_processed_is_sent_again(m, how):
    with m.connect() as c:
        flow = c.open("POST", "/x", m.host, length=5)
        flow.send(b"hello").finish()
        m.go()
        request = m.origin.take()
        request.wait_ended()
        if how == "refused":
            request.reset(frames.REFUSED_STREAM)
        else:
            with m.origin.lock:
                request.session.out += frames.goaway(0, frames.NO_ERROR)
                request.pump.flush()
        again = m.origin.take()
        assert again.read_all() == b"hello"
        again.respond(200, body=b"ok")
        assert flow.told().body == b"ok"
    assert len(m.origin.requests) == 2


@over()
def test_answer_before_the_body(m):
    with m.connect() as c:
        flow = c.open("POST", "/x", m.host, length=500_000)
        flow.send(b"x" * 1000)
        m.go()
        m.origin.take().respond(413, body=b"too much")
        told = flow.told()
    assert (told.status, told.body) == (413, b"too much")


# ---- tunnels


@over()
def test_websocket(m):
    with m.connect() as c:
        flow = c.ask_websocket("/ws?a=b", m.host, [("sec-websocket-protocol", "chat")])
        m.go()
        request = m.origin.take()
        assert (request.protocol, request.path, request.host) == ("websocket", "/ws?a=b", m.host)
        assert request.get("sec-websocket-version") == "13"
        request.accept([("sec-websocket-protocol", "chat")])
        mine, theirs = WebSocket(flow.wait_head()), WebSocket(request, client=False)
        assert flow.tunnel and flow.get("sec-websocket-protocol") == "chat"
        for text in (b"", b"hi", b"x" * 3000):
            mine.send(text, websocket.TEXT)
            assert theirs.receive() == (websocket.TEXT, text)
            theirs.send(text[::-1])
            assert mine.receive() == (websocket.BINARY, text[::-1])
        mine.close(1000, "bye")
        assert theirs.receive() == (websocket.CLOSE, websocket.close_payload(1000, "bye"))
        theirs.close(1000, "bye")
        assert mine.receive()[0] == websocket.CLOSE
        request.finish()
        flow.wait_ended()


@over(cuts=WHOLE)
def test_websocket_carries_much(m):
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host)
        m.go()
        request = m.origin.take().accept()
        mine, theirs = WebSocket(flow.wait_head()), WebSocket(request, client=False)
        for size in (126, 65535, 65536, 300_000):
            payload = os.urandom(size)
            mine.send(payload)
            assert theirs.receive() == (websocket.BINARY, payload)
            theirs.send(payload)
            assert mine.receive() == (websocket.BINARY, payload)
        flow.cancel()
        request.wait(lambda: request.gone or request.ended, "end")


@over()
def test_bytes_behind_the_handshake(m):
    """They wait for the yes, and then arrive first."""
    early = websocket.frame(websocket.TEXT, b"early bird")
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host, early=early)
        m.go()
        request = m.origin.take()
        request.interim(103, [("link", "</x>")])
        flow.wait_interim()
        with m.origin.lock:
            assert not request.received and (m.origin.h2 or not request.session.link.input)
        first = websocket.frame(websocket.TEXT, b"welcome", masked=False)
        request.accept(data=first)
        mine, theirs = WebSocket(flow.wait_head()), WebSocket(request, client=False)
        assert mine.receive() == (websocket.TEXT, b"welcome")
        assert theirs.receive() == (websocket.TEXT, b"early bird")


@over()
@pytest.mark.parametrize("status", [200, 403, 503])
def test_refused_upgrade_stays_http(m, status):
    """And what came behind the handshake reaches nobody: it looks like a request on purpose."""
    early = f"GET /smuggled HTTP/1.1\r\nHost: {m.host}\r\n\r\n".encode()
    if m.origin.h2 and status == 200:
        pytest.skip("there a 2xx is a yes")
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host, early=early)
        m.go()
        m.origin.take().respond(status, [("x-a", "b")], b"sorry")
        told = flow.told()
        if status == 200 and c.h2:      # there a 2xx is a yes
            status = 502
        assert (told.status, told.body, told.get("x-a"), flow.tunnel) == (
            status, b"sorry", "b", False)
    with m.connect() as c:
        m.request(c)
    assert [request.path for request in m.origin.requests] == ["/ws", "/hello"]


@over()
def test_tunnel_half_closes(m):
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host)
        m.go()
        request = m.origin.take().accept()
        flow.wait_head()
        flow.send(b"last of the client").finish()
        request.wait_ended()
        assert request.read() == b"last of the client"
        request.send(b"last of the server").finish()
        assert flow.read_all() == b"last of the server"
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host)
        request = m.origin.take().accept()
        flow.wait_head()
        request.send(b"server first").finish()
        assert flow.read_all() == b"server first"
        flow.send(b"client last").finish()
        assert request.read_all() == b"client last"


@over()
def test_tunnel_breaks(m):
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host)
        m.go()
        request = m.origin.take().accept()
        flow.wait_head()
        request.reset()
        flow.wait(lambda: flow.broken or flow.ended, "end")
    with m.connect() as c:
        flow = c.ask_websocket("/ws", m.host)
        request = m.origin.take().accept()
        flow.wait_head()
        flow.cancel()
        request.wait(lambda: request.gone or request.ended, "end")


# ---- a sandbox that is dead

REFUSED = (502, "port_closed", "no")


@over(states=("dead",))
def test_dead_sandbox(m):
    with m.connect() as c:
        assert error(m.request(c)) == REFUSED
        told = m.request(c, "POST", body=b"x" * 100)
        assert error(told) == REFUSED
        assert told.get("retry-after") == "1" and told.get("cache-control") == "no-store"
        assert m.request(c, "HEAD").status == 502


@over(states=("dead",))
def test_dead_sandbox_in_other_words(m):
    with m.connect() as c:
        told = m.request(c, headers=[("accept", "text/html"), ("sec-fetch-mode", "navigate")])
        assert told.status == 502
        assert told.get("content-type").startswith("text/html")
        told = m.request(c, "POST", headers=[("content-type", "application/grpc")], body=b"\0" * 5)
        assert told.status == 200 and told.body == b""
        assert told.get("grpc-status", dict(told.trailers).get("grpc-status")) == "10"


@over(states=("dead",))
def test_websocket_to_a_dead_sandbox(m):
    with m.connect() as c:
        told = c.ask_websocket("/ws", m.host, early=b"early").told()
        assert error(told) == REFUSED
    with m.connect() as c:
        with pytest.raises(Broken):
            c.websocket("/ws", m.host)
