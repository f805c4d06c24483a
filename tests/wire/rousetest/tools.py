# SPDX-License-Identifier: BSD-2-Clause
"""The programs of tests/tools: the witness and the crowd."""

import http.client
import json
import os
import pathlib
import subprocess
import urllib.parse


def tool(name):
    return str(pathlib.Path(os.environ.get("TOP_BUILDDIR", ".")) / "tests" / "tools" / name)


def _query(options):
    given = {key: value for key, value in options.items() if value is not None}
    return urllib.parse.urlencode(given, quote_via=urllib.parse.quote)


class Witness:
    """An origin that records what it gets; tests/tools/README.md tells what plans can say."""

    def __init__(self, ports=1, name="w", generation="1", closed=False, namespace=None, port=None,
                 args=()):
        address = namespace.address if namespace else "127.0.0.1"
        argv = [tool("witness"), "--name", name, "--generation", str(generation),
                "--address", address]
        for _ in range(ports):
            argv += ["--port", str(port or 0)]
        if closed:
            argv.append("--closed")
        if namespace:
            argv += ["--control-address", address]
            argv = namespace.wrap(argv)
        self.address = address
        self.proc = subprocess.Popen([*argv, *args], stdout=subprocess.PIPE)
        ready = json.loads(self.proc.stdout.readline())
        self.control, self.ports = ready["control"], ready["ports"]
        self.port = self.ports[0]
        self.control_address = address if namespace else "127.0.0.1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()

    def ask(self, method, path, body=None, wait=30, **options):
        link = http.client.HTTPConnection(self.control_address, self.control, timeout=wait)
        try:
            link.request(method, f"{path}?{_query(options)}", body=body)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def do(self, path, body=None, **options):
        status, said = self.ask("POST", path, body, **options)
        assert status == 200, f"witness: {path} {options}: {status} {said}"
        return said

    def plan(self, raw=None, **options):
        """What to do with the next request (with for_=ID: any of that id); raw is sent verbatim."""
        if "for_" in options:
            options["for"] = options.pop("for_")
        self.do("/plan", raw, raw=None if raw is None else 1, **options)

    def standard(self, raw=None, **options):
        """What to do with every request that has no plan of its own."""
        self.do("/standard", raw, raw=None if raw is None else 1, **options)

    def set(self, **options):
        self.do("/set", **options)

    def listen(self, after_ms=0, port=None):
        self.do("/port", port=port or self.port, listen=1, **({"in": after_ms} if after_ms else {}))

    def refuse(self, port=None):
        self.do("/port", port=port or self.port, listen=0)

    def mode(self, mode, port=None):
        """serve, rst, fin or deaf: what happens to a connection that is accepted."""
        self.do("/port", port=port or self.port, mode=mode)

    def push(self, data, conn=-1):
        self.do("/push", data, conn=conn)

    def close(self, how="fin", conn=-1):
        self.do("/close", conn=conn, how=how)

    def reset(self):
        self.do("/reset")

    def stats(self):
        return self.ask("GET", "/stats")[1]

    def wait(self, timeout=20, **counters):
        """Until each counter of stats() has been reached, e.g. requests=3, ended=1."""
        status, said = self.ask("GET", "/wait", wait=timeout + 10, timeout=int(timeout * 1000),
                                **counters)
        assert status == 200, f"witness: {counters} not reached within {timeout} s: {said}"
        return said

    def conns(self, after=0):
        """Connections, oldest first, each with `bytes` and `requests`."""
        conns = self.ask("GET", "/conns", bytes=1, after=after)[1]
        for conn in conns:
            conn["bytes"] = bytes.fromhex(conn.pop("hex"))
        return sorted(conns, key=lambda conn: conn["conn"])

    def executions(self):
        return self.ask("GET", "/executions")[1]


class StaticProxy:
    """http/ without a gateway: everything goes to one port.  Balanced counters when it ends."""

    def __init__(self, port):
        argv = [tool("static_proxy"), "127.0.0.1:0", f"127.0.0.1:{port}"]
        self.proc = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.proc.stdout.readline().rsplit(b":", 1)[1])

    def finish(self):
        if self.proc.poll() is None:
            self.proc.terminate()
        _, said = self.proc.communicate(timeout=60)
        text = said.decode("utf-8", "replace")
        assert self.proc.returncode == 0 and "Sanitizer" not in text, text


def start_crowd(port, host, **options):
    """Starts the crowd; options are its long options, with _ for -.  See Crowd."""
    argv = [tool("crowd"), "--port", str(port), "--host", host]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            argv.append(option)
        elif value is not False and value is not None:
            for one in value if isinstance(value, list) else [value]:
                argv += [option, str(one)]
    return Crowd(argv)


class Crowd:
    def __init__(self, argv):
        self.proc = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def wait_sent(self):
        """Until every request is out; None if the crowd was over first."""
        said = json.loads(self.proc.stdout.readline())
        if said["event"] == "sent":
            return said
        self.over = said
        return None

    def stop(self):
        """No further requests; those under way are finished."""
        self.proc.terminate()

    def result(self):
        over = getattr(self, "over", None)
        while over is None:
            said = json.loads(self.proc.stdout.readline())
            if said["event"] == "result":
                over = said
        self.proc.stdout.close()
        assert self.proc.wait() == 0
        return over


def crowd(port, host, **options):
    """Runs the crowd to its end and returns its result."""
    return start_crowd(port, host, **options).result()
