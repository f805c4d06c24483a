# SPDX-License-Identifier: BSD-2-Clause
"""The admin side over its Unix socket."""

import http.client
import json
import socket
import tempfile
import time


class _Link(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Admin:
    """admin = Admin(); one_site(..., admin=admin.config): a short path, as sockets need one."""

    def __init__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="rouse")
        self.path = self._directory.name + "/admin.sock"
        self.config = {"socket": self.path}

    def ask(self, method, target, body=None, timeout=60):
        link = _Link(self.path, timeout)
        try:
            link.request(method, target, body)
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def metrics(self):
        """Name (with labels, if any) -> number."""
        status, text = self.ask("GET", "/metrics")
        assert status == 200, text
        pairs = (line.rsplit(" ", 1) for line in text.decode().splitlines()
                 if line and not line.startswith("#"))
        return {name: float(number) for name, number in pairs}

    def metric(self, name):
        return self.metrics()[name]

    def json(self, target):
        return json.loads(self.ask("GET", target)[1])

    def wait_metric(self, name, number, timeout=30):
        """Until a gauge or counter has exactly that number."""
        deadline = time.monotonic() + timeout
        while (now := self.metric(name)) != number:
            assert time.monotonic() < deadline, f"{name} is {now}, not {number}"
