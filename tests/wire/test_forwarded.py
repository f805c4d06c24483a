# SPDX-License-Identifier: BSD-2-Clause
"""Rows A1-A16, B1-B7: what is forwarded is one request, the same to every reader (invariant 2)."""

import pytest

import corpus_requests
from conftest import FRONTS
from rousetest.corpus import complaints, essence, run, sample

CASES = corpus_requests.cases()
PASSING = [case for case in CASES if case.passes]
ABORTED = [case for case in CASES if "abort" in case.want and not case.passes]
MODES = ["whole", "bytewise", "random-1"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", FRONTS)
def test_passes_unharmed(front, kind, mode):
    f = front(kind)
    outcomes, forwarded = run(f.port, f.witness, sample(PASSING, mode, kind), mode)
    assert not (wrong := complaints(outcomes, forwarded, kind)), wrong


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", FRONTS)
def test_broken_body_never_looks_complete(front, kind, mode):
    f = front(kind)
    outcomes, forwarded = run(f.port, f.witness, sample(ABORTED, mode, kind), mode)
    assert not (wrong := complaints(outcomes, forwarded, kind)), wrong
    assert not [record["start"] for conn in forwarded.conns for record in conn["requests"]
                if "/smuggled" in record["start"]]


@pytest.mark.parametrize("kind", FRONTS)
def test_no_cut_changes_the_verdict(front, kind):
    """A16, for every case that two implementations could judge differently."""
    f = front(kind)
    cases = [case for case in sample(CASES, "whole", kind)
             if not case.family and len(case.data) < 2500]
    before = None
    for mode in ("whole", "bytewise", "random-2"):
        f.witness.reset()
        outcomes, _ = run(f.port, f.witness, cases, mode)
        now = {f"{case} {i}": essence(one) for i, (case, one) in enumerate(zip(cases, outcomes))
               if "abort" not in case.want}
        if before is not None:
            different = [name for name in now if now[name] != before[name]]
            assert not different, "\n".join(f"{name}: {before[name]} then {now[name]}"
                                            for name in different[:20])
        before = now
