# SPDX-License-Identifier: BSD-2-Clause
"""Rows A1-A14, B1-B7: what must be refused is refused, and nothing moves (invariants 2 and 6).

The sandbox is paused. Whatever is refused must not reach it, nor wake it, nor even be looked up.
"""

import pytest

import corpus_requests
from rousetest import free_port
from rousetest.config import config
from rousetest.corpus import complaints, run, sample

REFUSED = [case for case in corpus_requests.cases()
           if case.want.isdisjoint({"pass", "abort"})]


@pytest.mark.parametrize("mode", ["whole", "bytewise", "random-1", "random-2"])
def test_refused_and_nothing_moves(gateway, witness, hook, mode):
    w, h, port = witness(), hook(), free_port()
    h.sandbox("blog", address=f"127.0.0.1:{w.port}")
    gateway(config(port, h.platform()))
    outcomes, forwarded = run(port, w, sample(REFUSED, mode), mode)
    assert not (wrong := complaints(outcomes, forwarded)), wrong
    assert h.calls == []
    assert forwarded.conns == []
