# SPDX-License-Identifier: BSD-2-Clause
"""What a request to a running sandbox costs: four system calls, no allocation, no message."""

import math
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from rousetest import free_port, start_crowd
from rousetest.admin import Admin
from rousetest.config import WIDE, one_site
from rousetest.faults import CountMalloc, skip_if_instrumented

HOST = "3000-blog.t.localhost"
CLIENTS = 16
REQUESTS = int(os.environ.get("RUNNING_REQUESTS", "20000"))
DATA = {"recvfrom", "sendto", "recvmsg", "sendmsg", "read", "write", "readv", "writev"}


def running(gateway, witness, hook, env=None):
    w = witness()
    w.set(record_max=0, forget=1)
    w.standard(size=100)
    h = hook()
    h.sandbox("blog", "running", address=f"127.0.0.1:{w.port}")
    admin, port = Admin(), free_port()
    g = gateway(one_site(port, h, workers=1, limits=WIDE, admin=admin.config), env=env)
    load(port, 2000)
    return g, admin, port


def load(port, total):
    result = start_crowd(port, HOST, clients=CLIENTS, rate=20000, total=total).result()
    assert result["status"] == {"200": total}, result
    return result


def worker_thread(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == "rouse-w0":
            return task.name
    raise AssertionError("no thread rouse-w0")


def can_trace():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                          capture_output=True).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="needs strace, and leave to trace")
def test_four_system_calls_a_request(gateway, witness, hook, tmp_path):
    skip_if_instrumented()
    g, _, port = running(gateway, witness, hook)
    out = tmp_path / "strace"
    trace = subprocess.Popen(["strace", "-c", "-o", str(out), "-p", worker_thread(g.pid)],
                             stderr=subprocess.PIPE)
    assert b"attached" in trace.stderr.readline()
    load(port, REQUESTS)
    trace.send_signal(signal.SIGINT)
    trace.communicate()
    calls = {}
    for line in out.read_text().splitlines():
        row = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if row and row[2] != "total":
            calls[row[2]] = int(row[1])
    data = sum(n for name, n in calls.items() if name in DATA)
    rest = {n: c for n, c in calls.items() if n not in DATA and n != "epoll_wait"}
    print(f"# {REQUESTS} requests: {calls}")
    assert data <= 4.02 * REQUESTS + 10 * CLIENTS, calls
    # Connections come and go (16 of them); timers tick now and then.
    assert sum(rest.values()) <= 0.02 * REQUESTS + 40 * CLIENTS, calls


def test_no_allocation(gateway, witness, hook, tmp_path):
    skip_if_instrumented()
    counts = CountMalloc(tmp_path)
    g, _, port = running(gateway, witness, hook, counts.env)
    # Connections allocate, requests do not: the difference of two loads is the requests alone.
    small, large = REQUESTS // 4, REQUESTS
    grown = []
    for total in (small, large):
        before = counts.total()
        load(port, total)
        grown.append((counts.total() - before).allocations)
    print(f"# {small} requests: {grown[0]} allocations, {large} requests: {grown[1]}")
    assert grown[1] - grown[0] <= 64 and grown[1] <= 30 * CLIENTS, grown
    g.finish()


def test_one_message_a_second(gateway, witness, hook):
    _, admin, port = running(gateway, witness, hook)
    before = admin.metric("rouse_mail_total")
    result = load(port, REQUESTS)
    sent = admin.metric("rouse_mail_total") - before
    seconds = (result["last_answer_ns"] - result["began_ns"]) / 1e9
    print(f"# {REQUESTS} requests in {seconds:.1f} s: {sent:.0f} messages")
    assert sent <= math.ceil(seconds) + 2
