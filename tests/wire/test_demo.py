# SPDX-License-Identifier: BSD-2-Clause
"""`rouse demo` shows what the first screen of README.md says, on a terminal or not."""

import os
import pathlib
import pty
import re
import signal
import subprocess
import threading
import time

import pytest

from rousetest import Connection, free_port

ROUSE = os.environ["ROUSE"]
HOST = "3000-demo.localhost"


class Demo:
    """The program and its terminal, line by line."""

    def __init__(self, *args, terminal=False):
        self.port = free_port()
        self.lines = []
        self.ended = self.colour = False
        self._news = threading.Condition()
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.proc = subprocess.Popen([ROUSE, "demo", "--port", str(self.port), *args],
                                     stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self._out = os.fdopen(ours, "rb", buffering=0)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        self._reader.join()
        self._out.close()

    def _read(self):
        rest = b""
        while True:
            try:
                data = self._out.read(65536)
            except OSError:
                data = b""      # how a pseudo terminal ends
            with self._news:
                *done, rest = (rest + data).split(b"\n")
                self.lines += [re.sub("\033\\[[0-9;]*m", "", line.decode().rstrip("\r"))
                               for line in done]
                self.colour |= b"\033[" in data
                self.ended = not data
                self._news.notify_all()
            if not data:
                return

    def wait(self, text, count=1, timeout=30):
        deadline = time.monotonic() + timeout
        with self._news:
            while sum(text in line for line in self.lines) < count:
                left = deadline - time.monotonic()
                assert left > 0 and not self.ended, (text, self.lines)
                self._news.wait(left)

    def get(self, path="/count"):
        with Connection(self.port) as c:
            request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{self.port}\r\n\r\n"
            return c.request(request.encode())

    def told(self, text):
        with self._news:
            return [line for line in self.lines if text in line]

    def sandbox(self):
        """Its process id, as it says itself."""
        return int(re.search(r"process (\d+)", self.told("sandbox  visit")[-1]).group(1))

    def end(self):
        """Ctrl-C.  Nothing is left."""
        self.proc.send_signal(signal.SIGINT)
        assert self.proc.wait(20) == 0, self.lines
        self._reader.join(20)


def gone(pid, timeout=20):
    deadline = time.monotonic() + timeout
    while True:
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        if time.monotonic() > deadline:
            return False


def story(lines):
    """What does not depend on when, where and which process."""
    out = []
    for line in lines:
        line = re.sub(r"\d\d:\d\d:\d\d", "TIME", line.strip())
        line = re.sub(r"process \d+, awake for \d+ of its \d+ s", "process N, awake for A of B s",
                      line)
        line = re.sub(r"in [\d.]+ (ms|s),", "in TIME,", line)
        line = re.sub(r"localhost:\d+", "localhost:PORT", line)
        line = re.sub(r"after \d+ s without", "after IDLE without", line)
        if line:
            out.append(line)
    return out


def readme():
    """The indented block of the first screen, and the answers below it."""
    text = (pathlib.Path(os.environ["TOP_SRCDIR"]) / "README.md").read_text().split("\n## ")[0]
    screen = [line for line in text.split("\n") if line.startswith("      ")]
    answers = re.findall(r"^    \$ curl http://\S+(/\S*)\n    (.*)$", text, re.M)
    return screen, answers


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_the_first_screen_of_the_readme(terminal):
    screen, answers = readme()
    assert len(screen) > 10 and len(answers) == 2
    with Demo("--idle", "1s", terminal=terminal) as d:
        d.wait("Ctrl-C")
        for n, (path, body) in enumerate(answers):
            if n > 0:
                d.wait("paused after", n)
            answer = d.get(path)
            assert (answer.status, answer.body.decode()) == (200, body + "\n")
            d.wait("sandbox  visit", n + 1)
        pid = d.sandbox()
        d.end()
        assert gone(pid)
        assert len(d.told("woken in")) == 1
        told = story(d.lines)
        # It may have fallen asleep again before the end.
        while told[-1].endswith("without a request"):
            told.pop()
        assert told == story(screen)
        assert d.colour == terminal


def test_no_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with Demo(terminal=True) as d:
        d.wait("Ctrl-C")
        d.get()
        d.wait("sandbox  visit")
        assert not d.colour
        d.end()


def test_pages_and_waking_slowly():
    with Demo("--idle", "300ms", "--wake-delay", "200ms") as d:
        d.wait("Ctrl-C")
        assert d.told("Waking it takes 200ms.")
        began = time.monotonic()
        assert d.get("/hello").body == b"hello from demo\n"
        assert time.monotonic() - began >= 0.2
        d.wait("paused after 300 ms")
        page = d.get("/")
        assert page.status == 200 and b"<b>1</b> visits" in page.body
        assert page.get("Server-Timing")
        assert d.get("/nothing").status == 404
        d.end()


def test_a_killed_demo_leaves_nothing():
    with Demo() as d:
        d.wait("Ctrl-C")
        d.get()
        d.wait("sandbox  visit")
        pid = d.sandbox()
        d.proc.kill()
        d.proc.wait()
        assert gone(pid)


def test_a_taken_port():
    with Demo() as d:
        d.wait("Ctrl-C")
        second = subprocess.run([ROUSE, "demo", "--port", str(d.port)], capture_output=True,
                                text=True, timeout=20)
        assert second.returncode == 1
        assert str(d.port) in second.stderr
        assert f"hint: take another port: rouse demo --port {d.port + 1}" in second.stderr


@pytest.mark.parametrize("words, said", [
    (["--port", "0"], '"0" is no port'),
    (["--port"], "--port needs a value"),
    (["--idle", "soon"], '"soon" is no time to wait'),
    (["--nothing"], "no option --nothing"),
    (["what"], 'too much: "what"'),
])
def test_wrong_words(words, said):
    p = subprocess.run([ROUSE, "demo", *words], capture_output=True, text=True, timeout=20)
    assert p.returncode == 2 and said in p.stderr
