# SPDX-License-Identifier: BSD-2-Clause
"""Rows E1-E3, E5-E10: of what a hostile sandbox answers only the clean part reaches the client."""

import dataclasses
import random
import zlib

import pytest

import corpus_answers
from conftest import FRONTS
from rousetest import play

HOST = b"3000-blog.t.localhost"
CASES = corpus_answers.cases()


@dataclasses.dataclass
class Result:
    case: object
    played: object
    record: dict                # the witness's, with `conn`


def plan(w, case, rid, mode):
    options = {"end": {"keep": "keep", "fin": "fin", "rst": "rst"}[case.end]}
    if mode == "bytewise" and len(case.raw) < 1500:
        options.update(drip=1, drip_delay=0.05)
    elif mode != "whole":
        dice = random.Random(zlib.crc32(f"{mode} {case}".encode()))
        count = min(6, len(case.raw) - 1)
        cuts = sorted(dice.sample(range(1, len(case.raw)), count)) if count > 0 else []
        options.update(cuts=",".join(map(str, cuts)) or None, drip_delay=1)
    w.plan(case.raw, for_=rid, **options)


def run(port, w, cases, mode):
    items = []
    for number, case in enumerate(cases):
        plan(w, case, f"e.{number}", mode)
        # POST: a request that may not be sent twice, so that the verdict is about one answer.
        method = case.method if case.method == "HEAD" else "POST"
        length = b"" if method == "HEAD" else b"Content-Length: 0\r\n"
        items.append(([b"%s /%d HTTP/1.1\r\nHost: %s\r\nX-Rid: e.%d\r\n%s\r\n" % (
            method.encode(), number, HOST, number, length)], [method]))
    played = play(port, items, timeout=15)
    return [Result(case, one, []) for case, one in zip(cases, played)]


def look(w, results):
    """Gives each result what the witness recorded of it."""
    records = {}
    for conn in w.conns():
        for record in conn["requests"]:
            record["conn"] = conn
            records.setdefault(record["id"], []).append(record)
    for number, result in enumerate(results):
        result.record = records.get(f"e.{number}", [])


def complaints(w, results):
    """What is wrong, once connections that are being closed have had a moment for it."""
    for _ in range(50):
        ended = w.stats()["ended"]
        look(w, results)
        found = [f"{result.case}: {complaint}\n      {result.case.raw[:140]!r}"
                 for result in results if (complaint := wrong(result))]
        if not any("lives on" in text for text in found):
            break
        w.ask("GET", "/wait", ended=ended + 1, timeout=100)
    return found


def ours(played):
    """Whether this is one clean 502 of our own."""
    return (not played.error and len(played.answers) == 1 and played.answers[0].status == 502
            and not played.answers[0].get("x-y") and b"upstream" in played.answers[0].body)


def wrong_pass(case, played):
    sees, answer = case.sees, played.answers[0]
    if not answer.complete:
        return "not complete"
    if (answer.status, answer.body) != (sees.status, sees.body):
        return f"{answer.status} {answer.body[:80]!r}"
    if sees.interims is not None and answer.interims != sees.interims:
        return f"interims {answer.interims}"
    for name, value in sees.fields.items():
        if answer.all(name) != [value]:
            return f"{name}: {answer.all(name)}"
    for name in sees.absent:
        if answer.all(name):
            return f"{name} was passed on"
    return None


def wrong(result):
    case, played = result.case, result.played
    if played.error:
        return f"malformed: {played.error}"
    if b"planted" in played.data and "pass" not in case.want:
        return "what was planted came through"
    if b"WRONG" in played.data:
        return "a second answer came through"
    if len(result.record) != 1:
        return f"{len(result.record)} times at the sandbox"
    if played.answers and played.answers[0].complete and played.answers[0].status != 502:
        complaint = wrong_pass(case, played) if "pass" in case.want else (
            f"a complete {played.answers[0].status} came through")
    elif ours(played) or (played.answers and case.method == "HEAD"):
        complaint = None if 502 in case.want else f"refused: {played.answers[0].body[:160]!r}"
    elif not played.answers and played.end is None:
        complaint = "nothing came"
    else:
        complaint = None if "cut" in case.want else f"cut: {played.data[-80:]!r} {played.end}"
    if complaint:
        return complaint
    record, conn = result.record[0], result.record[0]["conn"]
    used_again = record is not conn["requests"][-1]
    if case.end == "keep" and case.reusable is False and (used_again or conn["end"] is None):
        return "the connection to the sandbox lives on"
    if case.end == "keep" and case.reusable and not used_again and conn["end"]:
        return "the connection to the sandbox was closed"
    return None


def comes_late(case):
    """Whether bytes follow a complete answer: cut off it, they may meet the next request.

    No proxy can tell such bytes from an early answer; they stay with the sandbox that sent them.
    """
    return "pass" in case.want and case.reusable is False and case.end == "keep"


@pytest.mark.parametrize("mode", ["whole", "bytewise", "random-1"])
@pytest.mark.parametrize("kind", FRONTS)
def test_hostile_answers(front, kind, mode):
    f = front(kind)
    cases = [case for number, case in enumerate(CASES) if mode == "whole"
             or (not case.family or number % 4 == 0) and not comes_late(case)]
    if kind == "static":
        cases = [case for case in cases if case.name != "alt-svc"]
    results = run(f.port, f.witness, cases, mode)
    found = complaints(f.witness, results)
    assert not found, f"{len(found)} of {len(results)}:\n  " + "\n  ".join(found[:60])
