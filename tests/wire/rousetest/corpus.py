# SPDX-License-Identifier: BSD-2-Clause
"""Plays a corpus of requests through the gateway and judges what came back and what went on.

Used by test_refused.py, test_forwarded.py and test_ordinary.py.
"""

import dataclasses
import random
import zlib

from rousetest import raw, strict

OURS = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "via",
        "traceparent", "tracestate"}
HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
       "upgrade",
       "content-length", "http2-settings", "proxy-authorization", "proxy-authenticate", "expect",
       "forwarded", "x-real-ip"}


def pieces(data, mode, name):
    """The data as the mode cuts it: whole, bytewise (only what is short), or random-SEED."""
    if mode == "whole":
        return raw.whole(data)
    if mode == "bytewise" and len(data) <= 2500:
        return raw.bytewise(data)
    seed = zlib.crc32(f"{mode} {name}".encode())
    return raw.random_cuts(data, random.Random(seed), 12)


def sample(cases, mode, kind="gateway"):
    """All of them whole; of the families of hundreds alike, the slower modes take a part.

    http/ alone does not know what a host's label means.
    """
    if kind == "static":
        cases = [case for case in cases if not case.routing and "local" not in case.want]
    if mode == "whole":
        return cases
    step = 9 if mode == "bytewise" else 4
    return [case for number, case in enumerate(cases) if not case.family or number % step == 0]


@dataclasses.dataclass
class Outcome:
    case: object
    played: raw.Played
    records: list               # of the witness, with this case's id
    request: strict.Request     # as forwarded, or None

    @property
    def status(self):
        return self.played.answers[0].status if self.played.answers else None


class Forwarded:
    """What the witness got, by the id of the request."""

    def __init__(self, witness):
        self.conns = witness.conns()
        self.records, self.requests, self.odd = {}, {}, []
        for conn in self.conns:
            for record in conn["requests"]:
                record["conn"] = conn
                self.records.setdefault(record["id"], []).append(record)
            broken = [record for record in conn["requests"] if not record["complete"]]
            end = broken[0]["offset"] if broken else len(conn["bytes"])
            try:
                for request in strict.agree(conn["bytes"][:end]):
                    for rid in request.all("x-rid"):
                        self.requests.setdefault(rid, []).append(request)
            except strict.Odd as error:
                self.odd.append(f"{error} in {conn['bytes'][:300]!r}")


def rid_of(data):
    """The id that a request carries."""
    lower = data.lower()
    at = lower.find(b"x-rid: ")
    return data[at + 7:lower.find(b"\r\n", at)].decode("latin-1") if at >= 0 else None


def run(port, witness, cases, mode, timeout=10):
    """Plays the cases and returns (outcomes, Forwarded)."""
    items = [(pieces(case.data, mode, str(case)), [case.method]) for case in cases]
    played = raw.play(port, items, timeout)
    witness.wait(reading_most=0)
    forwarded = Forwarded(witness)
    outcomes = []
    for case, one in zip(cases, played):
        rid = rid_of(case.data)
        requests = forwarded.requests.get(rid, [])
        outcomes.append(Outcome(case, one, forwarded.records.get(rid, []),
                                requests[0] if len(requests) == 1 else None))
    return outcomes, forwarded


def wrong_refusal(outcome, gateway=True):
    """Why this is not a clean refusal of our own, or None."""
    played, case = outcome.played, outcome.case
    if played.error:
        return f"malformed answer: {played.error}"
    if len(played.answers) != 1:
        return f"{len(played.answers)} answers, then {played.rest[:80]!r}, end {played.end}"
    answer = played.answers[0]
    if answer.status not in case.want:
        return f"status {answer.status}"
    if outcome.records:
        return "the sandbox saw it"
    if played.rest:
        return f"more bytes: {played.rest[:80]!r}"
    if played.end != "fin" and len(case.data) < 65536 and not case.routing:
        return f"not closed with FIN but {played.end}"
    if not gateway:
        return None
    if "no-store" not in answer.get("cache-control", "") or not answer.get("x-request-id"):
        return f"headers {answer.headers}"
    if answer.body and not answer.get("content-type", "").startswith("text/html"):
        if answer.json()["code"] != answer.status:
            return f"body {answer.body!r}"
    return None


def wrong_abort(outcome):
    """Why a request with a broken body was not handled as one, or None."""
    played = outcome.played
    if played.error:
        return f"malformed answer: {played.error}"
    for record in outcome.records:
        if record["complete"]:
            return "the sandbox got a complete request"
        if record["conn"]["end"] is None:
            return "the connection to the sandbox lives on"
    if played.end is None:
        return "the client's connection lives on"
    if played.answers and played.answers[0].status not in (400, 413, 431, 501):
        return f"status {played.answers[0].status}"
    if len(played.answers) > 1:
        return f"{len(played.answers)} answers"
    return None


def wrong_pass(outcome):
    """Why the request did not arrive as it should, or None."""
    case, played = outcome.case, outcome.played
    if played.error or len(played.answers) != 1 or played.rest:
        return f"{played.error} {len(played.answers)} answers, rest {played.rest[:80]!r}"
    answer = played.answers[0]
    if answer.status != 200 or answer.get("x-witness-rid") != rid_of(case.data):
        return f"status {answer.status} {answer.body[:120]!r}"
    if len(outcome.records) != 1 or not outcome.records[0]["complete"]:
        return f"{len(outcome.records)} times at the sandbox"
    if outcome.records[0]["odd"]:
        return f"odd: {outcome.records[0]['odd']}"
    if outcome.request is None:
        return "strict parsers do not read it"
    return wrong_model(case.sees, outcome.request)


def wrong_model(sees, request):
    for what, wanted, got in (("method", sees.method, request.method),
                              ("target", sees.target, request.target),
                              ("body", sees.body, request.body)):
        if wanted is not None and wanted != got:
            return f"{what} {got[:200]!r}"
    for name in sees.absent:
        if request.all(name):
            return f"{name} was forwarded"
    for name, value in sees.fields.items():
        if request.all(name) != [value]:
            return f"{name}: {request.all(name)}"
    return None


def judge(outcome, gateway=True):
    """The complaint about one outcome, or None."""
    case = outcome.case
    if case.passes and outcome.status == 200 and outcome.records:
        complaint = wrong_pass(outcome)
    elif "abort" in case.want:
        complaint = wrong_abort(outcome)
    elif "local" in case.want:
        complaint = "the sandbox saw it" if outcome.records else None
        if outcome.status not in (200, 204):
            complaint = f"status {outcome.status}"
    elif case.want == {"pass"}:
        complaint = wrong_pass(outcome)
    else:
        complaint = wrong_refusal(outcome, gateway)
    return complaint and f"{case}: {complaint}\n      {case.data[:160]!r}"


def complaints(outcomes, forwarded, kind="gateway"):
    """All of them, the first few in full; http/ alone does not make up whole answers."""
    found = [text for text in (judge(one, kind == "gateway") for one in outcomes) if text]
    found += forwarded.odd
    return f"{len(found)} of {len(outcomes)}:\n  " + "\n  ".join(found[:60]) if found else None


def essence(outcome):
    """What must not depend on how the input was cut."""
    request = outcome.request
    model = request and (request.method, request.target, request.body,
                         [pair for pair in request.headers if pair[0] != "x-request-id"])
    return outcome.status, len(outcome.records), model
