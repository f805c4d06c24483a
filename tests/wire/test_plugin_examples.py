# SPDX-License-Identifier: BSD-2-Clause
"""The examples in the plugins' READMEs, as they stand there: a sandbox sleeps, wakes and works."""

import base64
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from rousetest import Connection, free_port

PLUGINS = pathlib.Path(os.environ.get("TOP_SRCDIR", "."), "lua-free-plugins")
GET = b"GET / HTTP/1.1\r\nHost: 3000-blog.t.localhost\r\n\r\n"


def example(plugin, language, number=0):
    text = (PLUGINS / plugin / "README.md").read_text()
    return re.findall(f"```{language}\n(.*?)```", text, re.S)[number]


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def process_state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def configuration(port, platform, idle="1s"):
    return f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
log: {{ format: json }}
platforms: {{ own: {platform} }}
sites:
  - host: "*.t.localhost"
    platform: own
    idle: {{ pause_after: {idle} }}
    connect: {{ allow: [127.0.0.0/8] }}
"""


def sleeps_and_wakes(gateway, port, asleep):
    """A request, then idleness puts it to sleep, and the next request wakes it."""
    for _ in range(2):
        mark = gateway.mark()
        with Connection(port) as c:
            assert c.request(GET).status == 200
        gateway.wait_event("paused", after=mark, sandbox__id="blog")
        assert asleep()
    with Connection(port) as c:
        assert c.request(GET).status == 200


def test_http_in_python(gateway, witness, tmp_path):
    w, port = witness(), free_port()
    secret = "whsec_" + base64.b64encode(bytes(range(24))).decode()
    sandboxes = f'{{"blog": {{"pid": {w.proc.pid}, "address": "127.0.0.1:{w.port}"}}}}'
    program = write(tmp_path / "hook.py", example("http", "python"))
    hook = subprocess.Popen([program], stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PORT": "0", "SANDBOXES": sandboxes,
                                 "HOOK_SECRET": secret})
    try:
        url = f"http://127.0.0.1:{hook.stderr.readline().split()[-1]}/sandboxes/{{id}}"
        platform = (f'{{ plugin: http, inspect: "{url}", resume: "{url}/resume", '
                    f'pause: "{url}/pause", secret: "{secret}" }}')
        g = gateway(configuration(port, platform))
        sleeps_and_wakes(g, port, lambda: process_state(w.proc.pid) == "T")
        with Connection(port) as c:
            unknown = c.request(GET.replace(b"blog", b"shop"))
            assert unknown.status == 404 and unknown.json()["error"] == "sandbox_not_found"
        g.finish()
        by_hand(tmp_path, url.replace("{id}", "blog"), secret)
    finally:
        hook.kill()
        hook.communicate()


def by_hand(directory, url, secret):
    """The shell example: its signature is accepted, another is not."""
    if not shutil.which("curl") or not shutil.which("openssl"):
        return
    program = write(directory / "call.sh", example("http", "sh"))
    for key, status in ((secret, "200"), (secret[:-4] + "AAAA", "401")):
        done = subprocess.run([program, f"{url}/resume", '{"op":"resume","id":"blog"}'],
                              capture_output=True, text=True, timeout=20, check=True,
                              env={**os.environ, "HOOK_SECRET": key})
        assert f"HTTP/1.1 {status}" in done.stdout, done


def test_exec_in_python(gateway, witness, tmp_path):
    w, port = witness(), free_port()
    program = write(tmp_path / "processes.py", example("exec", "python"))
    (tmp_path / "blog").write_text(f"{w.proc.pid} 127.0.0.1:{w.port}\n")
    argv = f'["{program}"]'
    platform = (f'{{ plugin: exec, inspect: {argv}, resume: {argv}, pause: {argv}, '
                f'environment: {{ DIR: "{tmp_path}" }} }}')
    g = gateway(configuration(port, platform))
    sleeps_and_wakes(g, port, lambda: process_state(w.proc.pid) == "T")
    with Connection(port) as c:
        assert c.request(GET.replace(b"blog", b"shop")).json()["error"] == "sandbox_not_found"


DOCKER = """#!/bin/sh
# A stand-in for docker: one container, `blog`, paused by a file.
cd "$(dirname "$0")" || exit 1
eval "last=\\${$#}"
[ "$last" = blog ] || { echo "Error: No such object: $last"; exit 1; }
case $1 in
inspect) [ -e paused ] && echo "paused c0ffee ADDRESS" || echo "running c0ffee ADDRESS" ;;
pause) touch paused ;;
unpause) rm -f paused ;;
esac
"""


def test_exec_in_shell(gateway, witness, tmp_path):
    w, port = witness(), free_port()
    program = write(tmp_path / "docker.sh", example("exec", "sh"))
    write(tmp_path / "docker", DOCKER.replace("ADDRESS", f"127.0.0.1:{w.port}"))
    argv = f'["{program}", "{{id}}"]'
    platform = (f'{{ plugin: exec, inspect: {argv}, resume: {argv}, pause: {argv}, '
                f'environment: {{ PATH: "{tmp_path}:/usr/bin:/bin" }} }}')
    g = gateway(configuration(port, platform))
    sleeps_and_wakes(g, port, (tmp_path / "paused").exists)
    with Connection(port) as c:
        assert c.request(GET.replace(b"blog", b"shop")).json()["error"] == "sandbox_not_found"


@pytest.mark.parametrize("plugin", ["http", "exec"])
def test_every_option_is_described(rouse, plugin):
    """The README's table and the plugin's own list agree."""
    done = subprocess.run([rouse, "help", plugin], capture_output=True, text=True, timeout=20,
                          check=True)
    options = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
    text = (PLUGINS / plugin / "README.md").read_text()
    rows = "".join(re.findall(r"^\| (`[a-z_`, ]+) \|", text, re.M))
    assert set(re.findall("`([a-z_]+)`", rows)) == options


def test_the_sample_configuration(rouse):
    file = PLUGINS.parent / "conf" / "platforms.yaml"
    done = subprocess.run([rouse, "check", "-c", str(file)], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 0, done.stderr
