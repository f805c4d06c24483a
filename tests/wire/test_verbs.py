# SPDX-License-Identifier: BSD-2-Clause
"""Commands that talk to a running gateway; the configuration read anew, good and bad."""

import json
import pathlib
import subprocess

import pytest

from rousetest import Connection, free_port
from rousetest.config import config
from rousetest.hook import Reply


@pytest.fixture
def live(gateway, hook, witness, rouse, tmp_path):
    """A gateway with one paused sandbox, and run(arg, ...) for the commands."""
    w, h, port = witness(), hook(), free_port()
    w.set(query=0)
    h.sandbox("blog", "paused", address=f"127.0.0.1:{w.port}")
    socket = tmp_path / "admin.sock"
    text = config(port, h.platform()).replace('socket: ""', f'socket: "{socket}"')
    g = gateway(text)

    def run(*args):
        return subprocess.run([rouse, *args, "-s", str(socket)], capture_output=True, text=True,
                              timeout=60, check=False)

    class Live:
        pass

    one = Live()
    one.gateway, one.hook, one.port, one.text, one.run, one.socket = g, h, port, text, run, socket
    return one


def get(port, host="3000-blog.t.localhost"):
    with Connection(port) as c:
        c.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return c.answer().status


def test_status(live):
    done = live.run("status")
    assert done.returncode == 0, done.stderr
    assert "sandboxes      0" in done.stdout and "own" in done.stdout
    data = json.loads(live.run("status", "-o", "json").stdout)
    assert data["workers"] == 2 and data["draining"] is False
    assert pathlib.Path(data["config"]).is_absolute()


def test_the_socket_is_for_its_group(live):
    assert live.socket.stat().st_mode & 0o777 == 0o660


def test_wake_get_pause_show(live):
    done = live.run("wake", "blog")
    assert (done.returncode, done.stdout) == (0, "blog: running\n"), done.stderr
    assert live.hook.count("resume") == 1
    done = live.run("get", "own/blog")
    assert "state          running" in done.stdout and '"generation": "1"' in done.stdout
    assert json.loads(live.run("get", "blog", "-o", "json").stdout)["state"] == "running"
    rows = json.loads(live.run("show", "sandboxes", "-o", "json").stdout)
    assert [row["id"] for row in rows] == ["blog"]
    assert "blog" in live.run("show", "sandboxes").stdout
    assert live.run("show", "holds").stdout == "nothing is held\n"
    assert live.run("show", "wakes").stdout == "nothing is being woken\n"
    done = live.run("pause", "blog")
    assert (done.returncode, done.stdout) == (0, "blog: paused\n"), done.stderr
    assert live.hook.sandboxes["blog"]["state"] == "paused"
    assert "state    paused: held" in live.run(
        "explain", "http://3000-blog.t.localhost/", "-c", str(live.gateway.config)).stdout
    assert live.hook.count("resume") == 1
    assert live.run("forget", "blog").returncode == 0
    done = live.run("get", "blog", "-o", "json")
    assert done.returncode == 1 or json.loads(done.stdout)["state"] == "unknown"


def test_show_holds_while_one_waits(live):
    gate = live.hook.gate("resume")
    with Connection(live.port) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n")
        live.hook.wait_calls("resume")
        rows = json.loads(live.run("show", "holds", "-o", "json").stdout)
        assert [(row["id"], row["port"]) for row in rows] == [("blog", 3000)]
        assert "blog" in live.run("show", "wakes").stdout
        gate.set()
        assert c.answer().status == 200


def test_what_is_not_there(live):
    done = live.run("get", "nobody")
    assert done.returncode == 1 and "sandbox_not_found" in done.stderr
    done = live.run("wake", "nobody")
    assert done.returncode == 1 and "sandbox_not_found" in done.stderr
    assert "hint: `rouse help sandbox_not_found`" in done.stderr


def test_a_failing_platform_says_try_again(live):
    live.hook.kill()
    done = live.run("wake", "blog")
    assert done.returncode == 75 and "platform_unreachable" in done.stderr


def test_a_pause_that_fails_is_no_failed_resume(live):
    assert live.run("wake", "blog").returncode == 0
    live.hook.script("pause", Reply(status=400))
    done = live.run("pause", "blog")
    assert done.returncode == 1 and "pause_failed" in done.stderr, done.stderr
    assert get(live.port) == 200


def test_a_refused_upgrade_is_said_to_be_one(live):
    """It once blamed the Host field."""
    with Connection(live.port) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n"
               b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        answer = c.answer()
    assert answer.status == 426 and answer.get("sec-websocket-version") == "13"
    said = json.loads(answer.body)
    assert said["error"] == "upgrade_refused" and "version 13" in said["message"]
    done = live.run("explain", "http://3000-blog.t.localhost/", "-c", str(live.gateway.config),
                    "-H", "Connection: Upgrade", "-H", "Upgrade: websocket")
    assert done.returncode == 0 and "websocket" in done.stdout


def test_a_port_that_the_sandbox_does_not_name(live):
    """It was answered as if the sandbox's state were not known."""
    known = live.hook.sandboxes["blog"].pop("address")
    live.hook.sandbox("blog", "running", ports={"3000": known})
    assert get(live.port) == 200
    assert get(live.port, "3001-blog.t.localhost") == 502


def test_drain(live):
    assert live.run("drain").returncode == 0
    assert live.gateway.proc.wait(20) == 0


def test_reload_takes_a_new_site_over(live):
    assert get(live.port, "3000-blog.u.localhost") == 404
    live.gateway.config.write_text(live.text.replace("*.t.localhost", "*.u.localhost"))
    done = live.run("reload")
    assert done.returncode == 0, done.stderr
    live.gateway.wait_event("reloaded")
    assert get(live.port, "3000-blog.u.localhost") == 200
    assert get(live.port) == 404


BROKEN = [
    ("unknown key", lambda text: text + "nonsense: 1\n"),
    ("is given twice", lambda text: text + "workers: 3\n"),
    ("is missing", lambda text: text.replace("    platform: own\n", "")),
    ("is not a duration", lambda text: text + "    wake: { lease: soon }\n"),
    ("there is no such plugin", lambda text: text.replace("plugin: http", "plugin: htpp")),
    ("is empty", lambda text: ""),
    ("expected", lambda text: text + "a: [\n"),
]


@pytest.mark.parametrize("says,spoil", BROKEN, ids=[says for says, _ in BROKEN])
def test_a_broken_configuration_changes_nothing(live, says, spoil):
    assert get(live.port) == 200
    hash_before = json.loads(live.run("status", "-o", "json").stdout)["config_hash"]
    live.gateway.reload(spoil(live.text))
    event = live.gateway.wait_event("config_invalid")
    live.gateway.wait_event("reload_failed")
    assert says in event["detail"] and event["file"].endswith("rouse.yaml")
    assert event["line"] >= 1 or says == "is empty"
    assert get(live.port) == 200
    assert json.loads(live.run("status", "-o", "json").stdout)["config_hash"] == hash_before
    done = live.run("reload")
    assert done.returncode == 78 and says in done.stderr
    live.gateway.reload(live.text)
    live.gateway.wait_event("reloaded")
    assert get(live.port) == 200


def test_a_missing_file_changes_nothing(live):
    live.gateway.config.unlink()
    live.gateway.reload()
    live.gateway.wait_event("reload_failed")
    assert get(live.port) == 200


def test_what_needs_a_restart_is_said(live):
    live.gateway.reload(live.text.replace("workers: 2", "workers: 1"))
    event = live.gateway.wait_event("restart_needed")
    assert "workers" in event["detail"]
    live.gateway.wait_event("reloaded")
    assert get(live.port) == 200
