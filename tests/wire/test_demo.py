# SPDX-License-Identifier: BSD-2-Clause
"""rouse demo: what the README's first screen shows."""

import os
import re
import select
import signal
import subprocess
import threading
import time

import pytest

from rousetest import Connection, free_port


class Demo:
    def __init__(self, rouse, port):
        self.port, self.lines = port, []
        self._news = threading.Condition()
        self.proc = subprocess.Popen([rouse, "demo", str(port)], stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True,
                                     env=dict(os.environ, ROUSE_DEMO_IDLE="1s"))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait("Ctrl-C")

    def _read(self):
        for line in self.proc.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    def wait(self, text, count=1, timeout=30):
        deadline = time.monotonic() + timeout
        with self._news:
            while sum(text in line for line in self.lines) < count:
                left = deadline - time.monotonic()
                assert left > 0 and self.proc.poll() is None, "\n".join(self.lines)
                self._news.wait(min(left, 1))

    def call(self, accept="*/*", path="/"):
        with Connection(self.port) as c:
            c.send(f"GET {path} HTTP/1.1\r\nHost: 3000-demo.localhost:{self.port}\r\n"
                   f"Accept: {accept}\r\nConnection: close\r\n\r\n".encode())
            return c.answer()

    def numbers(self):
        answer = self.call()
        assert answer.status == 200, answer
        text = answer.body.decode()
        return (int(re.search(r"counter (\d+)", text)[1]), int(re.search(r"pid (\d+)", text)[1]))

    def stop(self):
        if self.proc.poll() is None:
            self.proc.send_signal(signal.SIGINT)
        status = self.proc.wait(30)
        self._reader.join()
        return status


@pytest.fixture
def demo(rouse):
    one = Demo(rouse, free_port())
    yield one
    one.stop()


def test_it_sleeps_and_its_memory_stays(demo):
    counter, pid = demo.numbers()
    assert counter == 1
    demo.wait("forwarded")
    demo.wait(" paused ")
    state = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0]
    frozen = open(f"/proc/{pid}/cgroup", encoding="ascii").read()
    assert state == "T" or "rouse" in frozen or state in "DS", state
    assert demo.numbers() == (2, pid)
    demo.wait("woken", 2)
    demo.wait("forwarded", 2)
    assert demo.numbers() == (3, pid)
    page = demo.call("text/html")
    assert page.status == 200 and b"<b>4</b>" in page.body
    assert demo.call(path="/nowhere").status == 404
    assert demo.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_its_sandbox_dies_with_it(demo):
    _, pid = demo.numbers()
    fd = os.pidfd_open(pid)
    demo.proc.kill()
    demo.proc.wait(10)
    ready, _, _ = select.select([fd], [], [], 20)
    os.close(fd)
    assert ready


def test_a_port_that_is_taken(demo, rouse):
    done = subprocess.run([rouse, "demo", str(demo.port)], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 1
    assert str(demo.port) in done.stderr and "hint: another port?" in done.stderr
    assert subprocess.run([rouse, "demo", "99999"], capture_output=True, timeout=30,
                          check=False).returncode == 2
