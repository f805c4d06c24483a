# SPDX-License-Identifier: BSD-2-Clause
"""Ports that nobody uses, and small networks of one's own."""

import os
import random
import shutil
import socket
import subprocess

_chosen = set()


def free_port(address="127.0.0.1"):
    """A port below the range from which the kernel takes the ports of outgoing connections."""
    dice = random.SystemRandom()
    for _ in range(1000):
        port = dice.randrange(20000, 32000)
        if port in _chosen:
            continue
        with socket.socket() as sock:
            try:
                sock.bind((address, port))
            except OSError:
                continue
        _chosen.add(port)
        return port
    raise RuntimeError("no free port")


def _run(*argv, check=True):
    return subprocess.run(argv, check=check, capture_output=True, text=True)


def _mounts():
    """How many mounts stand on /run/netns; a bind mount does not show in os.path.ismount."""
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        return sum(line.split()[4] == "/run/netns" for line in lines)


class Namespace:
    """A network namespace behind a veth pair: `address` is in it, `gateway` is our end.

    silence() drops SYNs to a port without an answer; voice() lets them through again.
    """

    def __init__(self):
        dice = random.SystemRandom()
        number = dice.randrange(0, 64 * 256)
        net = f"10.{200 + number // 4096}.{number // 16 % 256}"
        low = number % 16 * 16
        self.name = f"rt{os.getpid()}x{dice.randrange(1 << 16):x}"
        self.outside, self.inside = f"rt{number}a", f"rt{number}b"
        self.gateway, self.address = f"{net}.{low + 1}", f"{net}.{low + 2}"
        self.made = False

    @staticmethod
    def why_not():
        """A reason why this machine cannot make namespaces, or None."""
        if os.geteuid() != 0:
            return "needs root for network namespaces"
        for tool in ("ip", "nft"):
            if not shutil.which(tool):
                return f"needs the program {tool}"
        probe = Namespace()
        try:
            probe.__enter__()
        except subprocess.CalledProcessError as error:
            return f"network namespaces do not work here: {error.stderr.strip()}"
        finally:
            probe.__exit__()
        return None

    def __enter__(self):
        self.mounts = _mounts()
        _run("ip", "netns", "add", self.name)
        self.made = True
        _run("ip", "link", "add", self.outside, "type", "veth", "peer", "name", self.inside,
             "netns", self.name)
        _run("ip", "addr", "add", f"{self.gateway}/28", "dev", self.outside)
        _run("ip", "link", "set", self.outside, "up")
        self.run("ip", "addr", "add", f"{self.address}/28", "dev", self.inside)
        self.run("ip", "link", "set", self.inside, "up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("nft", "add table inet t; "
                 "add chain inet t in { type filter hook input priority 0; }")
        return self

    def __exit__(self, *_):
        if self.made:
            _run("ip", "netns", "del", self.name, check=False)
            _run("ip", "link", "del", self.outside, check=False)
        for _ in range(_mounts() - self.mounts):    # `ip netns add` leaves them behind
            if not os.listdir("/run/netns"):
                _run("umount", "/run/netns", check=False)

    def run(self, *argv):
        return _run(*self.wrap(list(argv)))

    def wrap(self, argv):
        """The command line that runs `argv` inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def silence(self, port):
        self.run("nft", f"add rule inet t in tcp dport {port} tcp flags & (syn|ack) == syn drop")

    def silence_all(self, port):
        """Drops every packet to the port, also those of open connections: a frozen guest."""
        self.run("nft", f"add rule inet t in tcp dport {port} drop")

    def voice(self):
        self.run("nft", "flush chain inet t in")
