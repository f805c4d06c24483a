# SPDX-License-Identifier: BSD-2-Clause
"""Sandboxes that break TLS on purpose (RELIABILITY E14): what they say outside it counts for
nothing, and an end without close_notify is none."""

import pytest
from rousetest import matrix
from rousetest.flow import Broken
from rousetest.link import Ended, Late

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Plain: yes\r\n\r\nstolen"


@pytest.fixture(scope="module")
def place(rouse, tmp_path_factory):
    made = matrix.Place(rouse, tmp_path_factory.mktemp("tls"))
    yield made
    made.finish()


def drain(link):
    try:
        link.wait_end(10)
    except Late:
        pass


def speaks_first(link):
    link.queue(ANSWER)
    link.flush()
    drain(link)


def speaks_after_the_hello(link):
    link.pull()
    link.queue(ANSWER)
    link.flush()
    drain(link)


def sends_an_alert(link):
    link.pull()
    link.queue(b"\x15\x03\x03\x00\x02\x02\x28")
    link.flush()
    drain(link)


def sends_rubbish(link):
    link.pull()
    link.queue(b"\x16\x03\x03\xff\xff" + bytes(1000))
    link.flush()
    drain(link)


def ends(link):
    link.pull()


def resets(link):
    link.pull()
    link.reset()


def silent(link):
    drain(link)


@pytest.mark.parametrize("front", ["h1", "h2s"])
@pytest.mark.parametrize("script", [speaks_first, speaks_after_the_hello, sends_an_alert,
                                    sends_rubbish, ends, resets, silent],
                         ids=lambda script: script.__name__)
def test_no_handshake(place, front, script):
    """The request was never sent, whatever came in place of a ServerHello."""
    with place.case(front, "h1s", context=None, script=script) as m:
        with m.connect() as c:
            told = m.request(c, "POST", "/", body=b"secret")
        status, slug, delivered = matrix.error(told)
        assert status in (502, 504) and delivered == "no", (status, slug, delivered)
        assert not told.get("x-plain") and b"stolen" not in told.body
        m.origin.end_scripts()


def request_of(link):
    """Reads one request without a body."""
    while b"\r\n\r\n" not in link.input:
        link.pull()
    link.input.clear()


@pytest.mark.parametrize("front", ["h1", "h2s"])
@pytest.mark.parametrize("head, body", [
    (b"HTTP/1.1 200 OK\r\n\r\n", b"until the close"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", b"a part"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nparts\r\n"),
], ids=["close", "length", "chunked"])
@pytest.mark.parametrize("how", ["cut", "fin"])
def test_ends_within_the_answer(place, front, head, body, how):
    """close_notify ends an answer without a length; FIN alone ends nothing (H11)."""
    def script(link):
        try:
            request_of(link)
        except Ended:
            return
        link.queue(head + body)
        link.half_close(notify=how == "fin")
        drain(link)

    with place.case(front, "h1s", script=script) as m:
        with m.connect() as c:
            flow = c.open("GET", "/", m.host)
            if how == "fin" and head.endswith(b"OK\r\n\r\n"):
                assert flow.told().body == body
            else:
                try:
                    flow.wait_head()
                except Broken:
                    pass
                if flow.status != 502:      # its head was still ours to write
                    assert flow.wait_broken()
        m.origin.end_scripts()


@pytest.mark.parametrize("wrong", [
    {"expired": True}, {"early": True}, {"client": True}, {"names": ["a.b.t.localhost"]},
    {"names": ["t.localhost"]}, {"names": ["*.localhost"]}, {"names": ["127.0.0.1"]}], ids=str)
def test_certificates_that_are_wrong(place, wrong):
    names = wrong.get("names", ["*.t.localhost"])
    leaf = place.ca.leaf(*names, **{key: value for key, value in wrong.items() if key != "names"})
    context = place.ca.server_context(leaf, ["http/1.1"])
    with place.case("h2c", "h1s", context=context) as m:
        with m.connect() as c:
            told = m.request(c, "POST", body=b"secret")
        assert told.status == 502 and matrix.error(told)[2] == "no"
        assert not m.origin.requests


def test_an_exact_name_will_do(place):
    with place.case("h2c", "h1s") as m:
        pass                        # its number is taken
    number = int(m.id[1:]) + 1
    leaf = place.ca.leaf(f"3000-s{number}.t.localhost")
    context = place.ca.server_context(leaf, ["http/1.1"])
    with place.case("h2c", "h1s", context=context) as m:
        assert m.id == f"s{number}"
        with m.connect() as c:
            assert m.request(c).status == 200
