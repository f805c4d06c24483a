# SPDX-License-Identifier: BSD-2-Clause
"""countmalloc.so and failsys.so: what a program allocates, and calls that fail as told.

    counts = CountMalloc(tmp_path)
    failing = FailSys(tmp_path, idle=True)
    gateway(config, env=counts.env)            # or failing.env; not both: each wraps malloc
    ...
    before = counts.total()
    assert counts.total().allocations == before.allocations

Neither works in a build with sanitizers: call skip_if_instrumented() first.
"""

import collections
import errno
import os
import pathlib
import struct

import pytest

from rousetest.tools import tool

KINDS = ["malloc", "socket", "listen", "accept", "connect", "recv", "send", "read", "write",
         "epoll_wait", "epoll", "eventfd", "timerfd", "pipe", "open", "fork", "thread", "sockopt"]
EFFECTS = {"short": 2, "eof": 3}
FOREVER = 2**63 - 1


def skip_if_instrumented():
    if os.environ.get("INSTRUMENT"):
        pytest.skip("sanitizers wrap the same calls")


class Page:
    """An array of int64 in a file that the program maps too."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def read(self, index, count=1):
        with self.path.open("rb") as f:
            f.seek(8 * index)
            return struct.unpack(f"={count}q", f.read(8 * count))

    def write(self, index, *values):
        with self.path.open("r+b", buffering=0) as f:
            f.seek(8 * index)
            f.write(struct.pack(f"={len(values)}q", *values))


class Counts(collections.namedtuple("Counts", "mallocs callocs reallocs frees live total")):
    """live: bytes allocated now; total: bytes ever allocated."""

    @property
    def allocations(self):
        return self.mallocs + self.callocs + self.reallocs

    def __sub__(self, other):
        return Counts(*(a - b for a, b in zip(self, other)))


NOTHING = Counts(0, 0, 0, 0, 0, 0)


class CountMalloc:
    """What the threads of one program allocate."""

    MAGIC = b"rousecm1"
    SLOTS = 1000

    def __init__(self, directory, name="countmalloc"):
        self.page = Page(pathlib.Path(directory) / name)
        self.env = {"LD_PRELOAD": str(pathlib.Path(tool("countmalloc.so")).resolve()),
                    "COUNTMALLOC": f"file={self.page.path.resolve()}"}

    def threads(self):
        """Thread id -> Counts; threads that ended stay."""
        magic, _pid, used = self.page.read(0, 3)
        assert struct.pack("=q", magic) == self.MAGIC, "countmalloc.so was not loaded"
        found = {}
        for i in range(min(used, self.SLOTS)):
            tid, *counts = self.page.read(8 + 8 * i, 7)
            if tid:
                found[tid] = Counts(*counts)
        return found

    def total(self):
        return Counts(*(sum(cell) for cell in zip(NOTHING, *self.threads().values())))

    def of_threads(self, name):
        """Thread id -> Counts of the live threads of that name."""
        pid = self.page.read(1)[0]
        named = {}
        for tid, counts in self.threads().items():
            try:
                comm = pathlib.Path(f"/proc/{pid}/task/{tid}/comm").read_text().strip()
            except OSError:
                continue
            if comm.startswith(name):
                named[tid] = counts
        return named


class FailSys:
    """Calls of one program that fail; the rules may be changed while it runs."""

    MAGIC = b"rousefs1"
    COUNT, RULES, RULE_WORDS = 8, 40, 8

    def __init__(self, directory, rules="", idle=False, name="failsys"):
        self.page = Page(pathlib.Path(directory) / name)
        parts = [f"file={self.page.path.resolve()}"] + ["idle"] * idle + [rules] * bool(rules)
        self.env = {"LD_PRELOAD": str(pathlib.Path(tool("failsys.so")).resolve()),
                    "FAILSYS": ",".join(parts)}

    def check(self):
        magic = self.page.read(0)[0]
        assert struct.pack("=q", magic) == self.MAGIC, "failsys.so was not loaded"

    def arm(self):
        """Counts anew from here, and lets the rules strike."""
        self.check()
        self.page.write(2, 0)
        self.page.write(self.COUNT, *[0] * 32)
        self.page.write(2, 1)

    def disarm(self):
        self.page.write(2, 0)

    def rule(self, kind, first, last=None, effect="EIO", slot=0):
        """Calls first..last (FOREVER: all after it) of that kind go wrong; a slot has one rule."""
        at = self.RULES + self.RULE_WORDS * slot
        name, _, size = effect.partition("=")
        what, value = ((EFFECTS[name], int(size or 1)) if name in EFFECTS
                       else (1, getattr(errno, effect)))
        self.page.write(at, 0)
        self.page.write(at + 1, first, first if last is None else last, what, value, 0)
        self.page.write(at, KINDS.index(kind) + 1)

    def forget(self, slot=0):
        self.page.write(self.RULES + self.RULE_WORDS * slot, 0)

    def fired(self, slot=0):
        """How often the rule struck: 0 tells a torture loop that it has gone past the last call."""
        return self.page.read(self.RULES + self.RULE_WORDS * slot + 5)[0]

    def counts(self):
        """Kind -> calls since arm()."""
        numbers = self.page.read(self.COUNT, 32)
        return {kind: numbers[i + 1] for i, kind in enumerate(KINDS)}
