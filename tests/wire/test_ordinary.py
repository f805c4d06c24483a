# SPDX-License-Identifier: BSD-2-Clause
"""A thousand ordinary requests of real clients all pass, unchanged but for what is ours."""

import pytest

import corpus_ordinary
from rousetest import Connection, free_port, play
from rousetest.config import config
from rousetest.corpus import HOP, OURS, Forwarded, pieces

REQUESTS = corpus_ordinary.requests()


def expected_fields(one):
    """Fields that go through: not hop-by-hop, not named by Connection, not ours, no underscore."""
    named = {word.strip().lower() for name, value in one.fields if name.lower() == "connection"
             for word in value.split(",")}
    return [(name.lower(), value.encode().decode("latin-1")) for name, value in one.fields
            if name.lower() not in HOP | OURS | named and "_" not in name]


def wrong(one, number, forwarded):
    rid = f"o.{number}"
    got, records = forwarded.requests.get(rid, []), forwarded.records.get(rid, [])
    if len(got) != 1:
        return f"{len(got)} times at the sandbox"
    request = got[0]
    if records[0]["odd"]:
        return f"odd: {records[0]['odd']}"
    if (request.method, request.target, request.body) != (one.method, one.target, one.body):
        return f"got {request.method} {request.target} {request.body[:60]!r}"
    sent = expected_fields(one)
    arrived = [pair for pair in request.headers if pair[0] not in OURS | HOP | {"host"}]
    if arrived != sent:
        return f"fields {set(arrived) ^ set(sent)} or their order"
    if not {"x-forwarded-for", "x-forwarded-proto", "x-request-id"} <= {n for n,
                                                                        _ in request.headers}:
        return "our fields are missing"
    return None


def check(forwarded, statuses):
    found = [f"{one.name}: {complaint}" for number, one in enumerate(REQUESTS)
             if (complaint := wrong(one, number, forwarded))] + forwarded.odd
    found += [f"{REQUESTS[n].name}: status {status}" for n,
              status in statuses.items() if status != 200]
    assert not found, f"{len(found)}:\n" + "\n".join(found[:40])


@pytest.fixture
def running(gateway, witness, hook):
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    gateway(config(port, h.platform()))
    return port, w


@pytest.mark.parametrize("mode", ["whole", "random-1"])
def test_each_on_its_own_connection(running, mode):
    port, w = running
    items = [(pieces(one.data, mode, one.name), [one.method]) for one in REQUESTS]
    played = play(port, items)
    check(Forwarded(w), {number: one.answers[0].status if one.answers else one.error or one.end
                         for number, one in enumerate(played)})


def test_all_over_one_connection(running):
    """One after the other over as few connections as the clients' own Connection: close allows."""
    port, w = running
    statuses, connection = {}, None
    for number, one in enumerate(REQUESTS):
        connection = connection or Connection(port)
        answer = connection.request(one.data, one.method)
        statuses[number] = answer.status
        if "close" in answer.get("connection", ""):
            assert connection.until_end() == "fin"
            connection.close()
            connection = None
        else:
            assert connection.data == b""
    check(Forwarded(w), statuses)


def test_pipelined(running):
    """Every client's thirty requests at once, back to back."""
    port, w = running
    groups = {}
    for number, one in enumerate(REQUESTS):
        client = one.name.split(":")[0]
        if not any("close" in value.lower() for name, value in one.fields
                   if name.lower() == "connection"):
            groups.setdefault(client, []).append((number, one))
    items = [([b"".join(one.data for _, one in group)], [one.method for _, one in group])
             for group in groups.values()]
    for group, played in zip(groups.values(), play(port, items, timeout=20)):
        assert not played.error, played.error
        assert [answer.get("x-witness-rid") for answer in played.answers] == [
            f"o.{number}" for number, _ in group]
    forwarded = Forwarded(w)
    assert not forwarded.odd
    found = [f"{one.name}: {complaint}" for group in groups.values() for number, one in group
             if (complaint := wrong(one, number, forwarded))]
    assert not found, "\n".join(found[:40])
