# SPDX-License-Identifier: BSD-2-Clause
"""A platform behind the `exec` plugin that misbehaves: what callers get, what the log says."""

import json
import time

import pytest

from rousetest import Connection, free_port

GET = b"GET / HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n"

# Does what the file RESUME says; writes a line for each run that can be waited for.
PROGRAM = """#!/usr/bin/python3
import json, os, pathlib, sys
here = pathlib.Path(os.environ["HERE"])
call = json.load(sys.stdin)
assert call["op"] == os.environ["ROUSE_OP"] and call["id"] == os.environ["ROUSE_ID"] == sys.argv[1]
with open(here / "calls", "a") as calls:
    calls.write(json.dumps({"op": call["op"], "env": dict(os.environ), "call": call}) + chr(10))
def say(state):
    print(json.dumps({"state": state, "address": (here / "address").read_text()}))
if call["op"] == "inspect":
    say("running" if (here / "awake").exists() else "paused")
    sys.exit(0)
exec((here / "resume").read_text())
"""


@pytest.fixture
def stage(gateway, witness, tmp_path):
    def make(what, hold="5s", **options):
        w, port = witness(), free_port()
        (tmp_path / "program").write_text(PROGRAM)
        (tmp_path / "program").chmod(0o755)
        (tmp_path / "resume").write_text(what)
        (tmp_path / "address").write_text(f"127.0.0.1:{w.port}")
        options = {"timeout": "500ms", "resume": f'["{tmp_path}/program", "{{id}}"]', **options}
        more = "".join(f", {name}: {value}" for name, value in options.items())
        g = gateway(f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
log: {{ format: json, level: debug }}
platforms:
  own:
    {{ plugin: exec, inspect: ["{tmp_path}/program", "{{id}}"],
      environment: {{ HERE: "{tmp_path}" }}{more} }}
sites:
  - host: "*.t.localhost"
    platform: own
    hold: {{ timeout: {hold} }}
    wake: {{ lease: 1s }}
    connect: {{ allow: [127.0.0.0/8] }}
""")
        with Connection(port) as c:
            answer = c.request(GET)
        calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
        return g, answer, [call for call in calls if call["op"] == "resume"]

    return make


def test_it_wakes(stage):
    _, answer, calls = stage("(here / 'awake').touch(); say('running')")
    assert answer.status == 200 and len(calls) == 1
    env, call = calls[0]["env"], calls[0]["call"]
    assert env["ROUSE_PORT"] == "3000" and env["ROUSE_CLASS"] == "other"
    assert env["ROUSE_EPOCH"] == str(call["epoch"]) and int(env["ROUSE_EPOCH"]) > 0
    assert call["caller"]["path"] == "/" and call["port"] == 3000
    assert set(env) <= {"PATH", "HOME", "LANG", "HERE", "LC_CTYPE"} | {
        name for name in env if name.startswith("ROUSE_")}


def test_no_word_on_stdout(stage):
    _, answer, calls = stage("(here / 'awake').touch()")
    assert answer.status == 200 and len(calls) == 1


EXITS = [(77, 403, "wake_denied"), (66, 404, "sandbox_not_found"), (69, 410, "sandbox_gone"),
         (78, 409, "sandbox_paused"), (1, 502, "resume_failed"), (70, 429, "capacity_exhausted")]


@pytest.mark.parametrize("code, status, slug", EXITS, ids=[str(row[0]) for row in EXITS])
def test_exit_codes(stage, code, status, slug):
    g, answer, calls = stage(f"print('no such luck', file=sys.stderr); sys.exit({code})", hold="1s")
    assert (answer.status, answer.json()["error"]) == (status, slug)
    assert len(calls) <= 3
    said = g.wait_event("platform_call", rouse__kind="resume", hook__status=code)
    assert said["detail"] == f"resume: exit code {code}: no such luck"


def test_under_way(stage):
    _, answer, calls = stage("(here / 'awake').touch(); sys.exit(75)")
    assert answer.status == 200 and len(calls) == 1


BROKEN = {
    "hang": "import signal; signal.pause()",
    "killed": "os.kill(os.getpid(), 9)",
    "endless": "while True: print('x' * 65536)",
    "no-json": "print('fine')",
    "children": "os.fork(); os.fork(); import signal; signal.pause()",
}


@pytest.mark.parametrize("what", BROKEN.values(), ids=BROKEN)
def test_nobody_knows(stage, what):
    """It acted and then went wrong: Rouse looks and does not call again."""
    started = time.monotonic()
    g, answer, calls = stage("(here / 'awake').touch()\n" + what)
    g.wait_event("platform_call", rouse__kind="resume", outcome="unknown")
    assert answer.status == 200 and len(calls) == 1
    assert time.monotonic() - started < 4


def test_no_such_program(stage):
    g, answer, calls = stage("", resume='["/nonexistent/program"]')
    assert (answer.status, answer.json()["error"]) == (503, "platform_unreachable")
    assert calls == []
    said = g.wait_event("plugin", level="error")
    assert "cannot run /nonexistent/program" in said["detail"] and "No such file" in said["detail"]
