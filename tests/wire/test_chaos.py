# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once: sandboxes that are paused, killed, moved and refuse, a hook that fails, and a
configuration that is read again, under load.  Nobody is lost, no POST runs twice, accounts balance.

CHAOS_SEED, CHAOS_SECONDS: another run, a longer one.
"""

import collections
import os
import random
import time

from rousetest import Reply, Witness, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, one_site

SEED = int(os.environ.get("CHAOS_SEED", "1"))
SECONDS = float(os.environ.get("CHAOS_SECONDS", "5"))
RATE = 100
NAMES = ["s0", "s1", "s2"]


class Chaos:
    def __init__(self, gateway, hook, dice):
        self.dice, self.h = dice, hook(resume_time=0.02)
        self.admin, self.port = Admin(), free_port()
        self.ran = collections.Counter()
        self.witness = {}
        for name in NAMES:
            self.start(name)
            self.h.sandbox(name, "paused", address=self.address(name))
        self.g = gateway(self.config())

    def config(self):
        wake = {"limit_per_sandbox": "off", "limit_per_client": "off", "lease": "2s"}
        return one_site(self.port, self.h, limits=WIDE | {"pool_idle": "500ms", "wakes": "off"},
                        hold=WIDE_HOLD | {"timeout": f"{self.dice.randrange(18, 22)}s"}, wake=wake,
                        admin=self.admin.config)

    def address(self, name):
        return f"127.0.0.1:{self.witness[name].port}"

    def start(self, name, port=None):
        w = self.witness[name] = Witness(port=port)
        w.set(record_max=0)
        w.standard(delay=1, size=2000)

    def stop(self, name):
        """kill -9; what ran there is remembered."""
        w = self.witness[name]
        self.ran.update(w.executions())
        w.stop()
        return w.port

    def life(self, name):
        return str(int(self.h.sandboxes[name]["generation"]) + 1)

    def pause(self, name):
        self.admin.ask("POST", f"/sandboxes/{name}/pause")

    def sleep_behind_our_back(self, name):
        self.h.sandbox(name, "paused")
        self.refuse(name)

    def announce(self, name):
        self.h.sandbox(name, "paused", generation=self.life(name))
        self.admin.ask("PUT", f"/sandboxes/{name}", '{"state":"paused","generation":"%s"}'
                       % self.h.sandboxes[name]["generation"])

    def refuse(self, name):
        self.witness[name].refuse()
        self.witness[name].listen(after_ms=self.dice.randrange(1, 300))

    def kill(self, name):
        self.start(name, self.stop(name))

    def move(self, name):
        self.stop(name)
        self.start(name)
        self.h.sandbox(name, self.h.sandboxes[name]["state"], address=self.address(name),
                       generation=self.life(name))

    def slow(self, name):
        self.witness[name].plan(delay=1500, size=2000)

    def fail(self, _name):
        self.h.script(self.dice.choice(["resume", "inspect", "pause"]),
                      self.dice.choice([Reply(status=500), Reply(close=True), Reply(delay=0.3),
                                        Reply(status=409), Reply(status=429)]))

    def reload(self, _name):
        self.g.reload(self.config())

    def stir(self, until):
        what = [self.pause, self.sleep_behind_our_back, self.announce, self.refuse, self.kill,
                self.move, self.slow, self.fail, self.reload]
        while time.monotonic() < until:
            name = self.dice.choice(NAMES)
            self.dice.choice(what)(name)
            # The next comes when some more requests have been answered.
            w = self.witness[name]
            w.ask("GET", "/wait", timeout=300, wait=30,
                  answered=w.stats()["answered"] + self.dice.randrange(1, 60))


def test_chaos(gateway, hook):
    print(f"# seed {SEED}")
    c = Chaos(gateway, hook, random.Random(SEED))
    loads = [start_crowd(c.port, f"3000-{name}.t.localhost", clients=20, rate=RATE, method=method,
                         total=int(RATE * SECONDS), check=True, abort=5, abort_wait=20,
                         seed=SEED, body=1000 if method == "POST" else None,
                         prefix=f"{method}-{name}", timeout=60000)
             for name in NAMES for method in ("GET", "POST")]
    c.stir(time.monotonic() + SECONDS)
    for load in loads:
        result = load.result()
        assert set(result["status"]) <= {"200", "429", "502", "503", "504"}, result
        assert result["lost"] == result["reset"] == result["connect_failed"] == 0, result
        assert result["wrong"] == result["silent"] == 0, result
        assert result["status"]["200"] >= 0.8 * RATE * SECONDS, result
    for gauge in ("rouse_connections", "http_server_active_requests", "rouse_held_requests"):
        c.admin.wait_metric(gauge, 0)
    for name in NAMES:
        c.stop(name)
    twice = [rid for rid, count in c.ran.items() if rid.startswith("POST") and count > 1]
    assert not twice, twice
    c.g.finish()
