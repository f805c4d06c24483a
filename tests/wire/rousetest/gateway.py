# SPDX-License-Identifier: BSD-2-Clause
"""The real program with a configuration of the test's own, watched through its log."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

SANITIZER = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:")
READY = "ready"
ACCOUNTING = "accounting"


def matches(event, fields):
    """Keywords name the keys of a log line with __ for the dots: sandbox__id="blog"."""
    return all(event.get(key.replace("__", ".")) == value for key, value in fields.items())


class Gateway:
    """`rouse serve`, from start to the balance of its accounts.

    log      lines as dictionaries, in the order in which they came (`msg` is the event's name)
    noise    lines of stderr that are no log lines
    """

    def __init__(self, program, config, directory, args=(), env=None, wait=True):
        self.config = pathlib.Path(directory) / "rouse.yaml"
        self.config.write_text(config)
        self.log, self.noise = [], []
        self.ended = False
        self.checked = False
        self._news = threading.Condition()
        environment = dict(os.environ, **(env or {}))
        self.proc = subprocess.Popen([program, "serve", "-c", str(self.config), *args],
                                     stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                     env=environment)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not wait:
            return
        try:
            self.wait_event(READY)
        except AssertionError:
            self.proc.kill()  # nobody else knows of it yet
            self.proc.wait()
            raise

    def _read(self):
        for line in self.proc.stderr:
            text = line.decode("utf-8", "replace").rstrip("\n")
            try:
                event = json.loads(text)
            except ValueError:
                event = None
            with self._news:
                if isinstance(event, dict):
                    self.log.append(event)
                else:
                    self.noise.append(text)
                self._news.notify_all()
        with self._news:
            self.ended = True
            self._news.notify_all()

    @property
    def pid(self):
        return self.proc.pid

    def mark(self):
        """A place in the log, for `after` of the waits."""
        with self._news:
            return len(self.log)

    def events(self, name=None, after=0, **fields):
        with self._news:
            return [event for event in self.log[after:]
                    if (name is None or event.get("msg") == name) and matches(event, fields)]

    def access(self, after=0, **fields):
        return self.events(after=after, stream="access", **fields)

    def wait_events(self, name=None, count=1, timeout=20, after=0, **fields):
        """Until `count` lines fit; never sleep instead of this."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                found = [event for event in self.log[after:]
                         if (name is None or event.get("msg") == name) and matches(event, fields)]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0 or self.ended:
                    why = "the program ended" if self.ended else f"{timeout} s passed"
                    raise AssertionError(f"{len(found)} of {count} log lines {name} {fields}; {why}"
                                         + self._tail())
                self._news.wait(left)

    def wait_event(self, name=None, timeout=20, after=0, **fields):
        return self.wait_events(name, 1, timeout, after, **fields)[0]

    def wait_access(self, count=1, timeout=20, after=0, **fields):
        return self.wait_events(None, count, timeout, after, stream="access", **fields)

    def _tail(self):
        """For messages; called with the lock held."""
        lines = [json.dumps(event) for event in self.log[-25:]] + self.noise[-40:]
        return "\n--- log\n" + "\n".join(lines)

    def send_signal(self, number):
        self.proc.send_signal(number)

    def reload(self, config=None):
        if config is not None:
            self.config.write_text(config)
        self.send_signal(signal.SIGHUP)

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait_descriptors(self, most, timeout=10):
        """Until at most so many are open: /proc tells no news, so this looks again and again."""
        deadline = time.monotonic() + timeout
        while (count := self.open_descriptors()) > most:
            assert time.monotonic() < deadline, f"{count} descriptors, not {most}"
            with self._news:
                self._news.wait(0.02)

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def stop(self, number=signal.SIGTERM, timeout=60):
        """Ends the program and returns its exit status."""
        if self.proc.poll() is None:
            self.send_signal(number)
        try:
            status = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            self._reader.join()
            raise AssertionError(f"still there after {timeout} s" + self._tail()) from None
        self._reader.join()
        return status

    def finish(self, status=0, accounts=True):
        """Ends the program and checks its exit status, its sanitizers and its accounts."""
        if self.checked:
            return
        self.checked = True
        got = self.stop()
        bad = [line for line in self.noise if SANITIZER.search(line)]
        assert not bad, "\n".join(self.noise)
        assert got == status, f"exit status {got}, not {status}" + self._tail()
        if accounts:
            self.check_accounts()

    def check_accounts(self):
        """Invariant 3: every accepted request was answered or aborted, or its client left."""
        lines = self.events(ACCOUNTING)
        assert lines, "no accounting line" + self._tail()
        last = lines[-1]
        assert last["in_flight"] == 0, last
        assert last["accepted"] == last["answered"] + last["aborted"] + last["client_left"], last
