# SPDX-License-Identifier: BSD-2-Clause
"""RFC 9113's musts for servers, in front of a sandbox that is awake, held or dead.

The cases are lines of cases_h2.py.  One gateway plays them all.
"""

import itertools
import os

import pytest
from cases_h2 import CASES
from rousetest import Gateway, Hook, Reply, Witness, conformance, free_port
from rousetest.certs import Authority
from rousetest.config import one_site
from rousetest.fronts import Front

STATES = ("awake", "held", "dead")


def host(state):
    return f"3000-{state}.t.localhost"


@pytest.fixture(scope="module")
def place(rouse, tmp_path_factory):
    """kind -> Front; the three sandboxes are there."""
    directory = tmp_path_factory.mktemp("h2")
    ca = Authority()
    ca.fill(directory / "certs", "*.t.localhost")
    ports = {"h2c": free_port(), "h2s": free_port()}
    with Hook() as hook, Witness() as witness, Witness(closed=True) as nobody:
        hook.script("resume", Reply(hang=True), id="held")
        hook.sandbox("awake", "running", address=f"127.0.0.1:{witness.port}")
        hook.sandbox("held", "paused", address=f"127.0.0.1:{witness.port}")
        hook.sandbox("dead", "running", address=f"127.0.0.1:{nobody.port}")
        config = one_site(
            ports["h2c"], hook, tls_port=ports["h2s"], certificates=directory / "certs",
            limits={"connections_per_source": "off", "connection_rate": "off"},
            hold={"timeout": "10m", "per_source": "off"},
            wake={"resume_timeout": "10m", "limit_per_sandbox": "off", "limit_per_client": "off"},
            connect={"refused_for": "1ms"})
        gateway = Gateway(rouse, config, directory)
        yield {kind: Front(kind, port, ca, "any.t.localhost") for kind, port in ports.items()}
        gateway.finish()


def combinations():
    """(kind, state, case); under ROUSE_QUICK each case once, the rest by turns."""
    quick = os.environ.get("ROUSE_QUICK")
    for number, one in enumerate(CASES):
        pairs = list(itertools.product(("h2c", "h2s"), (s for s in STATES if s in one.states)))
        for kind, state in [pairs[number % len(pairs)]] if quick else pairs:
            yield pytest.param(kind, state, one, id=f"{one}-{state}-{kind}")


@pytest.mark.parametrize("kind, state, one", combinations())
def test_case(place, kind, state, one):
    front = place[kind]
    link = front.link(name=host(state))
    big = "/?size=1000" if state == "awake" else None
    complaint = conformance.run(one, link, host(state), front.tls, state, big)
    assert not complaint, complaint
