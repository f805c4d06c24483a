# SPDX-License-Identifier: BSD-2-Clause
"""The `local` platform behind the real gateway: wakes, pauses under load, stops behind our back."""

import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from rousetest import Connection, Witness, free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, WIDE_HOLD, flow
from rousetest.tools import tool

HOST = "3000-blog.t.localhost"
# Sanitizers and the like: the same with less of it.
QUICK = bool(os.environ.get("ROUSE_QUICK"))
RATE, TOTAL = (200, 800) if QUICK else (1000, 4000)


class Inside(Witness):
    """A witness that the gateway starts, as its sandbox."""

    def __init__(self):
        self.port, self.control = free_port(), free_port()
        self.control_address = "127.0.0.1"

    def command(self, shell=False):
        words = [os.path.abspath(tool("witness")), "--port", str(self.port),
                 "--control", str(self.control)]
        if shell:
            words = ["sh", "-c", " ".join(words) + " & wait"]
        return json.dumps(words)


def config(port, inside, admin=None, shell=False, **sandbox):
    options = {"command": inside.command(shell), "ports": f"{{ 3000: 127.0.0.1:{inside.port} }}",
               "output": "discard"} | sandbox
    return "\n".join([
        f"listen: [ {{ address: 127.0.0.1:{port} }} ]", "workers: 2",
        "admin: " + flow(admin.config if admin else {"socket": '""'}),
        "limits: " + flow(WIDE | {"wakes": "off"}),
        f"platforms: {{ dev: {{ plugin: local, sandboxes: {{ blog: {flow(options)} }} }} }}",
        f"sites: [ {{ host: '*.t.localhost', platform: dev, hold: {flow(WIDE_HOLD)},",
        "            wake: { limit_per_sandbox: off, limit_per_client: off } } ]", ""])


def get(port, rid, more=""):
    with Connection(port) as c:
        return c.request(f"GET /?rid={rid}{more} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())


def started(g, count=1):
    """Process id of the sandbox's leader."""
    g.wait_events("woken", count)
    said = [e for e in g.events("plugin") if "started, process" in e["detail"]]
    assert len(said) == count, said
    return int(re.search(r"process (\d+)", said[-1]["detail"]).group(1))


def once_each(inside, total):
    ran = inside.executions()
    twice = {rid: times for rid, times in ran.items() if times != 1}
    assert not twice, f"ran more than once: {dict(list(twice.items())[:5])}"
    assert len(ran) == total


@pytest.mark.parametrize("freezer", ["auto", "signals"])
def test_wake(gateway, freezer):
    """One request to a paused sandbox: 200, memory intact, exactly one resume."""
    inside, port = Inside(), free_port()
    g = gateway(config(port, inside, idle="300ms", freezer=freezer))
    assert get(port, "a").status == 200
    g.wait_event("paused", sandbox__id="blog")
    mark = g.mark()
    answer = get(port, "b")
    assert answer.status == 200
    assert "wake;dur=" in answer.get("Server-Timing")
    g.wait_event("released", after=mark)
    assert len(g.events("wake", after=mark)) == 1
    started(g)
    assert inside.executions() == {"a": 1, "b": 1}


@pytest.mark.parametrize("freezer", ["auto", "signals"])
def test_frozen_guest_paused_by_rouse(gateway, freezer):
    """Paused again and again under 1,000 requests a second: each is answered once, by a process
    that runs, and runs once.  A request that went to a frozen process would be answered only
    after wake_delay."""
    inside, port, admin = Inside(), free_port(), Admin()
    delay = 0.5
    g = gateway(config(port, inside, admin, freezer=freezer, wake_delay=f"{int(delay * 1000)}ms"))
    assert get(port, "first").status == 200
    load = start_crowd(port, HOST, clients=100, rate=RATE, total=TOTAL, check=True, method="POST",
                       body=10)
    pauses = 0
    for _ in range(5):
        status, _ = admin.ask("POST", "/sandboxes/blog/pause")
        if status == 200:
            pauses += 1
            assert get(port, f"after-{pauses}").status == 200
    result = load.result()
    assert pauses >= 3
    assert result["status"] == {"200": TOTAL} and result["wrong"] == 0 and result["lost"] == 0
    once_each(inside, TOTAL + 1 + pauses)
    seen = g.wait_access(TOTAL + 1 + pauses)
    late = [e for e in seen if e["t.first_byte_ms"] >= delay * 1000]
    assert not late, late[:3]
    assert len(g.events("paused")) == pauses
    started(g)


@pytest.mark.parametrize("shell", [False, True], ids=["told", "suspected"])
def test_frozen_guest_stopped_behind_our_back(gateway, shell):
    """SIGSTOP with requests in flight: noticed within 1.5 s, woken, nothing sent twice.

    told: the leader was stopped and the plugin hears of it. suspected: a child of the leader was,
    so that only an inspection can tell, a second after answers failed to come."""
    inside, port = Inside(), free_port()
    g = gateway(config(port, inside, shell=shell))
    assert get(port, "first").status == 200
    leader = started(g)
    victim = leader
    if shell:
        children = pathlib.Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
        victim = int(children[0])
    load = start_crowd(port, HOST, clients=200, rate=RATE, total=TOTAL, check=True, method="POST",
                       body=10, path="/?delay=40")
    inside.wait(requests=TOTAL // 4)
    mark = g.mark()
    began = time.monotonic()
    os.kill(victim, signal.SIGSTOP)
    g.wait_event("asleep", after=mark)
    noticed = time.monotonic() - began
    g.wait_event("woken", after=mark)
    result = load.result()
    assert noticed < 1.5, noticed
    assert result["status"] == {"200": TOTAL} and result["wrong"] == 0 and result["lost"] == 0
    once_each(inside, TOTAL + 1)


def test_a_sandbox_that_dies_is_started_again(gateway):
    inside, port = Inside(), free_port()
    g = gateway(config(port, inside))
    assert get(port, "a").status == 200
    os.kill(started(g), signal.SIGKILL)
    g.wait_event("asleep")
    assert get(port, "b").status == 200
    started(g, 2)
    assert inside.executions() == {"b": 1}


def test_a_sandbox_that_dies_under_load(gateway):
    """Nobody hangs, nothing runs twice: 200, or 502 where bytes had gone."""
    inside, port = Inside(), free_port()
    g = gateway(config(port, inside))
    assert get(port, "first").status == 200
    load = start_crowd(port, HOST, clients=100, rate=RATE, total=TOTAL, check=False, method="POST",
                       body=10, path="/?delay=20")
    inside.wait(requests=TOTAL // 8)
    os.kill(started(g), signal.SIGKILL)
    result = load.result()
    assert sum(result["status"].values()) == TOTAL and set(result["status"]) <= {"200", "502"}
    assert result["status"]["200"] > TOTAL * 3 / 4
    g.wait_access(TOTAL + 1)
    assert all(times == 1 for times in inside.executions().values())


def test_a_command_that_ends_at_once(gateway):
    """502 soon, not 504 after the hold's time."""
    port = free_port()
    g = gateway(config(port, Inside()).replace("--control", "--nonsense"))
    began = time.monotonic()
    answer = get(port, "a")
    assert answer.status == 502 and answer.json()["error"] == "resume_failed"
    assert time.monotonic() - began < 10
    assert "exited with status" in g.wait_event("platform_call")["detail"]


def test_nothing_survives_the_gateway(gateway):
    inside, port = Inside(), free_port()
    g = gateway(config(port, inside))
    assert get(port, "a").status == 200
    pidfd = os.pidfd_open(started(g))
    g.finish()
    with contextlib.closing(os.fdopen(pidfd)) as f:
        poll = select.poll()
        poll.register(f, select.POLLIN)
        assert poll.poll(20000)


MORE = "\n    a:\n      command: [x]\n      ports: { 1: 127.0.0.1:1 }\n      "
OK = "{ command: [x], ports: { 3000: 127.0.0.1:3000 } }"


@pytest.mark.parametrize("sandboxes, line, said, hint", [
    ("[a]", 1, "sandboxes must be a map", ""),
    ("{ Blog: %s }" % OK, 1, '"Blog" is no sandbox id', "lower-case letters"),
    ("{ a: x }", 1, "sandbox a must be a map", ""),
    ("{ a: { ports: { 3000: 127.0.0.1:3000 } } }", 1, "sandbox a has no command", ""),
    ("{ a: { command: [x] } }", 1, "sandbox a has no ports", ""),
    ("{ a: { command: x, ports: { 1: 127.0.0.1:1 } } }", 1, "command must be a list", "[sh, -c"),
    ("{ a: { command: [], ports: { 1: 127.0.0.1:1 } } }", 1, "command must be a list", ""),
    ("{ a: { command: [[x]], ports: { 1: 127.0.0.1:1 } } }", 1, "a word of the command", ""),
    ("\n    a:\n      command: [x]\n      ports: { 0: 127.0.0.1:1 }\n", 4, '"0" is no port', ""),
    ("\n    a:\n      command: [x]\n      ports: { 070: 127.0.0.1:1 }\n", 4, '"070" is no port',
     ""),
    ("{ a: { command: [x], ports: { 1: localhost } } }", 1, "port 1 needs an address", ""),
    ("{ a: { command: [x], ports: { 1: 127.0.0.1 } } }", 1, "port 1 needs an address", ""),
    ("\n    a:\n      ports: { 1: 127.0.0.1:1 }\n      comand: [x]\n", 4,
     'a sandbox has no key "comand"', 'did you mean "command"?'),
    (MORE + "idle: soon\n", 5,
     'idle is no duration: "soon"', "60s"),
    (MORE + "idle: 0s\n", 5,
     "idle must be more than 0", ""),
    (MORE + "user: nobody-at-all\n", 5,
     'there is no user "nobody-at-all"', ""),
    (MORE + "output: log\n", 5,
     "output must be an absolute path", ""),
    (MORE + "environment: [A]\n", 5,
     "environment must be a map", ""),
    (MORE + "freezer: ice\n", 5,
     "freezer must be auto or signals", ""),
], ids=str)
def test_mistakes(tmp_path, rouse, sandboxes, line, said, hint):
    file = tmp_path / "rouse.yaml"
    head = "listen: [{ address: 127.0.0.1:1 }]\nsites: [{ host: default, platform: dev }]\n"
    file.write_text(f"{head}platforms:\n  dev:\n   plugin: local\n   sandboxes: {sandboxes}\n")
    done = subprocess.run([rouse, "check", "-c", str(file)], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 78, done
    assert re.search(rf"rouse\.yaml:{line + 5}:\d+: error: .*{re.escape(said)}", done.stderr), \
        done.stderr
    assert hint in done.stderr
