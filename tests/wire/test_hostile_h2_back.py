# SPDX-License-Identifier: BSD-2-Clause
"""Sandboxes that speak HTTP/2 badly, on purpose: the cases of cases_h2_back.py."""

import os

import pytest
from cases_h2_back import CASES
from rousetest import frames, matrix
from rousetest.faults import skip_if_instrumented
from rousetest.flow import Broken
from rousetest.h2 import RawH2
from rousetest.link import Ended, Late

QUICK = bool(os.environ.get("ROUSE_QUICK"))


@pytest.fixture(scope="module")
def place(rouse, tmp_path_factory):
    made = matrix.Place(rouse, tmp_path_factory.mktemp("hostile"))
    yield made
    made.finish()


@pytest.fixture(scope="module")
def innocent(place):
    """A sandbox that has nothing to do with it."""
    with place.case("h2c", "h2c") as case:
        yield case


def for_stream(sent, stream):
    """The case's frames, for another stream than 1; what is no whole frame stays as it is."""
    if stream == 1:
        return sent
    rest, out = bytearray(sent), b""
    while (one := frames.parse(rest)) is not None:
        where = stream if one.stream == 1 else one.stream
        out += frames.frame(one.type, one.flags, where, one.payload)
    return out + bytes(rest)


def deliver(link, sent):
    """As much of it as the gateway reads."""
    link.queue(sent)
    while not link.flush() and not link.end:
        link.wait(5, writing=True)


def play(case):
    """The script of a sandbox; it reads on until the gateway has had enough of it."""
    def script(link):
        c = RawH2(link, server=True)
        try:
            if case.bare:
                link.take(len(frames.PREFACE))
                deliver(link, case.send)
            else:
                c.start()
            while not case.bare:            # a request may be sent again, on this connection
                asked = c.until(lambda one: one.type == frames.HEADERS, 30)
                if asked is None:
                    return
                deliver(link, for_stream(case.send, asked.stream))
                if case.end:
                    break
            if case.end == "rst":
                link.reset()
                return
            link.half_close()
            c.wait_end(30)
        except (Ended, Late):
            pass                # what the client got is what counts
    return script


def outcome(m, case):
    with m.connect() as c:
        flow = c.open(case.method, "/", m.host)
        try:
            told = flow.told()
        except Broken:
            return "cut"
    if told.get("proxy-status"):
        assert told.status == 502, told
        if case.method != "HEAD":
            assert matrix.error(told)[1] in ("upstream_malformed", "upstream_reset"), told
        return "bad"
    return "good" if told.body == b"ok" else "empty" if not told.body else f"{told}"


def combinations():
    pairs = [("h1", "h2c"), ("h2s", "h2s"), ("h2c", "h2c"), ("h1s", "h2s")]
    for number, one in enumerate(CASES):
        for front, back in [pairs[number % 4]] if QUICK else pairs:
            yield pytest.param(front, back, one, id=f"{one}-{front}-{back}")


@pytest.mark.parametrize("front, back, one", combinations())
def test_case(place, innocent, front, back, one):
    with place.case(front, back, script=play(one)) as m:
        got = outcome(m, one)
        assert got in one.want, f"{one}: {got}, not {' or '.join(sorted(one.want))}"
        m.origin.end_scripts()
    with innocent.connect() as c:
        assert c.request("GET", "/hello").status == 200


def test_memory(place):
    """After all of them: nothing was kept."""
    skip_if_instrumented()
    assert place.gateway.resident_bytes() < 100 << 20
