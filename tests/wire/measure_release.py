# SPDX-License-Identifier: BSD-2-Clause
"""How late the first waiter is: from the moment its port is there to its request's arrival.

By hand, from a build tree whose tools are built (make check TESTS=), on a quiet machine:

    TOP_BUILDDIR=. PYTHONPATH=../../tests/wire python3 ../../tests/wire/measure_release.py [COUNT]

It prints p50, p99 and the worst of COUNT samples (100) for each way in which a port may come.
"""

import itertools
import os
import pathlib
import random
import sys
import tempfile
import time

from rousetest import Connection, Gateway, Hook, Namespace, Witness, free_port
from rousetest.config import WIDE, WIDE_HOLD, one_site

GROUP = 10  # ports of one witness; and how many wait for their port at once where that takes long


def get(name):
    return f"GET / HTTP/1.1\r\nHost: 3000-{name}.t.localhost\r\n\r\n".encode()


class Bench:
    def __init__(self, directory, namespace=None):
        self.namespace = namespace
        self.hook = Hook()
        self.port = free_port()
        limits = WIDE | {"wakes": "off"}
        wake = {"limit_per_client": "off"}
        rouse = os.environ.get("ROUSE", os.environ.get("TOP_BUILDDIR", ".") + "/rouse")
        self.gateway = Gateway(rouse, one_site(self.port, self.hook, limits=limits, hold=WIDE_HOLD,
                                               wake=wake), directory)
        self.names = (f"s{i}" for i in itertools.count())

    def finish(self):
        self.gateway.finish()
        self.hook.stop()

    def begin(self, witness, at):
        """A request for a new sandbox whose port does not answer; returns when it was woken."""
        name = next(self.names)
        self.hook.sandbox(name, address=f"{witness.address}:{witness.ports[at]}")
        client = Connection(self.port)
        client.send(get(name))
        self.gateway.wait_event("woken", sandbox__id=name)
        return client


def lateness(witness):
    return [(p["first_request_ns"] - p["listen_ns"]) / 1e6 for p in witness.stats()["ports"]]


def opens_after(bench, count, low, high, at_once=1):
    late = []
    for _ in range(count // GROUP):
        with Witness(ports=GROUP, closed=True) as w:
            for start in range(0, GROUP, at_once):
                clients = []
                for i in range(start, start + at_once):
                    clients.append(bench.begin(w, i))
                    w.listen(after_ms=random.randint(low, high), port=w.ports[i])
                for client in clients:
                    assert client.answer().status == 200
                    client.close()
            late += lateness(w)
    return late


def leader_leaves(bench, count):
    """Two wait; the one that probes leaves before the port opens."""
    late = []
    for _ in range(count // GROUP):
        with Witness(ports=GROUP, closed=True) as w:
            for i in range(GROUP):
                name = next(bench.names)
                bench.hook.sandbox(name, address=f"127.0.0.1:{w.ports[i]}")
                with Connection(bench.port) as leader, Connection(bench.port) as other:
                    leader.send(get(name))
                    bench.gateway.wait_event("woken", sandbox__id=name)
                    other.send(get(name))
                    w.listen(after_ms=random.randint(50, 200), port=w.ports[i])
                    mark = bench.gateway.mark()
                    leader.close()
                    bench.gateway.wait_access(after=mark, http__response__status_code=499)
                    assert other.answer().status == 200
            late += lateness(w)
    return late


def falls_silent(bench, count):
    late = []
    for _ in range(count // GROUP):
        with Witness(ports=GROUP, namespace=bench.namespace) as w:
            for i in range(GROUP):
                bench.namespace.silence(w.ports[i])
                with bench.begin(w, i) as client:
                    # Time passes in the namespace's own tools; each starts in some 10 ms.
                    for _ in range(random.randint(3, 12)):
                        bench.namespace.run("true")
                    before = time.monotonic_ns()  # up to 20 ms too early
                    bench.namespace.voice()
                    assert client.answer().status == 200
                first = w.stats()["ports"][i]["first_request_ns"]
                late.append((first - before) / 1e6)
    return late


def report(what, late, p50, p99):
    late.sort()
    at = [late[len(late) // 2], late[min(len(late) - 1, len(late) * 99 // 100)]]
    print(f"{what:42} n {len(late)}  p50 {at[0]:6.2f} ms  p99 {at[1]:6.2f} ms"
          f"  worst {late[-1]:6.2f} ms   (to reach: p50 {p50}, p99 {p99})", flush=True)


def main():
    count = max(GROUP, int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    with tempfile.TemporaryDirectory() as top:
        pathlib.Path(top, "a").mkdir()
        bench = Bench(pathlib.Path(top, "a"))
        report("opens 50-200 ms after the first refusal", opens_after(bench, count, 50, 200), 1, 5)
        report("opens, the leader left while probing", leader_leaves(bench, count), 1, 5)
        report("opens after 5 s", opens_after(bench, count, 5000, 5300, GROUP), "-", 25)
        bench.finish()
        why_not = Namespace.why_not()
        if why_not:
            print(f"silent address: {why_not}")
            return
        pathlib.Path(top, "b").mkdir()
        with Namespace() as namespace:
            bench = Bench(pathlib.Path(top, "b"), namespace)
            report("silent until it opens (upper bound)", falls_silent(bench, count), "-", 60)
            bench.finish()


if __name__ == "__main__":
    main()
