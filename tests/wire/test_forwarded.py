# SPDX-License-Identifier: BSD-2-Clause
"""Rows A1-A16, B1-B7: what is forwarded is one request, the same to every reader (invariant 2)."""

import pytest

import corpus_requests
from rousetest import free_port
from rousetest.config import config
from rousetest.corpus import complaints, essence, run, sample

CASES = corpus_requests.cases()
PASSING = [case for case in CASES if case.passes]
ABORTED = [case for case in CASES if "abort" in case.want and not case.passes]
MODES = ["whole", "bytewise", "random-1"]


@pytest.fixture
def running(gateway, witness, hook):
    """The port of a gateway whose sandbox runs, and the witness."""
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    gateway(config(port, h.platform()))
    return port, w


@pytest.mark.parametrize("mode", MODES)
def test_passes_unharmed(running, mode):
    outcomes, forwarded = run(*running, sample(PASSING, mode), mode)
    assert not (wrong := complaints(outcomes, forwarded)), wrong


@pytest.mark.parametrize("mode", MODES)
def test_broken_body_never_looks_complete(running, mode):
    port, w = running
    outcomes, forwarded = run(port, w, sample(ABORTED, mode), mode)
    assert not (wrong := complaints(outcomes, forwarded)), wrong
    smuggled = [record["start"] for conn in forwarded.conns for record in conn["requests"]
                if "/smuggled" in record["start"]]
    assert not smuggled


def test_no_cut_changes_the_verdict(running):
    """A16, for every case that two implementations could judge differently."""
    port, w = running
    cases = [case for case in CASES if not case.family and len(case.data) < 2500]
    before = None
    for mode in ("whole", "bytewise", "random-2"):
        w.reset()
        outcomes, _ = run(port, w, cases, mode)
        now = {str(case) + str(i): essence(one) for i, (case, one) in enumerate(zip(cases,
                                                                                    outcomes))
               if "abort" not in case.want}
        if before is not None:
            different = [name for name in now if now[name] != before[name]]
            assert not different, "\n".join(f"{name}: {before[name]} then {now[name]}"
                                            for name in different[:20])
        before = now
