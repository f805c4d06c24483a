# SPDX-License-Identifier: BSD-2-Clause
"""Rows A1-A14, B1-B7: what must be refused is refused, and nothing moves (invariants 2 and 6).

The sandbox is paused. Whatever is refused must not reach it, nor wake it, nor even be looked up.
"""

import pytest

import corpus_requests
from conftest import FRONTS
from rousetest.corpus import complaints, run, sample

REFUSED = [case for case in corpus_requests.cases()
           if case.want.isdisjoint({"pass", "abort"})]


@pytest.mark.parametrize("mode", ["whole", "bytewise", "random-1", "random-2"])
@pytest.mark.parametrize("kind", FRONTS)
def test_refused_and_nothing_moves(front, kind, mode):
    f = front(kind, "paused")
    outcomes, forwarded = run(f.port, f.witness, sample(REFUSED, mode, kind), mode)
    assert not (wrong := complaints(outcomes, forwarded, kind)), wrong
    assert forwarded.conns == []
    assert kind == "static" or f.hook.calls == []
