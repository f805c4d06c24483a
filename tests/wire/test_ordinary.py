# SPDX-License-Identifier: BSD-2-Clause
"""A thousand ordinary requests of real clients all pass, unchanged but for what is ours."""

import pytest

import corpus_ordinary
from conftest import FRONTS
from rousetest import Connection, play
from rousetest.corpus import HOP, OURS, Forwarded, pieces

REQUESTS = corpus_ordinary.requests()


def expected_fields(one):
    """Fields that go through: not hop-by-hop, not named by Connection, not ours, no underscore."""
    named = {word.strip().lower() for name, value in one.fields if name.lower() == "connection"
             for word in value.split(",")}
    return [(name.lower(), value.encode().decode("latin-1")) for name, value in one.fields
            if name.lower() not in HOP | OURS | named and "_" not in name]


def wrong(kind, one, number, forwarded):
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
    names = {name for name, _ in request.headers}
    ours = {"x-forwarded-for", "x-forwarded-proto", "x-request-id"}
    if kind == "gateway" and not ours <= names:
        return "our fields are missing"
    return None


def check(kind, forwarded, statuses):
    found = forwarded.odd + [f"{one.name}: {complaint}" for number, one in enumerate(REQUESTS)
                             if (complaint := wrong(kind, one, number, forwarded))]
    found += [f"{REQUESTS[n].name}: status {status}" for n,
              status in statuses.items() if status != 200]
    assert not found, f"{len(found)}:\n" + "\n".join(found[:40])


@pytest.mark.parametrize("mode", ["whole", "random-1"])
@pytest.mark.parametrize("kind", FRONTS)
def test_each_on_its_own_connection(front, kind, mode):
    f = front(kind)
    items = [(pieces(one.data, mode, one.name), [one.method]) for one in REQUESTS]
    played = play(f.port, items)
    statuses = {number: one.answers[0].status if one.answers else one.error or one.end
                for number, one in enumerate(played)}
    check(kind, Forwarded(f.witness), statuses)


@pytest.mark.parametrize("kind", FRONTS)
def test_all_over_one_connection(front, kind):
    """One after the other over as few connections as the clients' own Connection: close allows."""
    f = front(kind)
    statuses, connection = {}, None
    for number, one in enumerate(REQUESTS):
        connection = connection or Connection(f.port)
        answer = connection.request(one.data, one.method)
        statuses[number] = answer.status
        if "close" in answer.get("connection", ""):
            assert connection.until_end() == "fin"
            connection.close()
            connection = None
        else:
            assert connection.data == b""
    check(kind, Forwarded(f.witness), statuses)


@pytest.mark.parametrize("kind", FRONTS)
def test_pipelined(front, kind):
    """Every client's thirty requests at once, back to back."""
    f = front(kind)
    groups = {}
    for number, one in enumerate(REQUESTS):
        client = one.name.split(":")[0]
        if not any("close" in value.lower() for name, value in one.fields
                   if name.lower() == "connection"):
            groups.setdefault(client, []).append((number, one))
    items = [([b"".join(one.data for _, one in group)], [one.method for _, one in group])
             for group in groups.values()]
    for group, played in zip(groups.values(), play(f.port, items, timeout=20)):
        assert not played.error, played.error
        assert [answer.get("x-witness-rid") for answer in played.answers] == [
            f"o.{number}" for number, _ in group]
    forwarded = Forwarded(f.witness)
    assert not forwarded.odd
    found = [f"{one.name}: {complaint}" for group in groups.values() for number, one in group
             if (complaint := wrong(kind, one, number, forwarded))]
    assert not found, "\n".join(found[:40])
