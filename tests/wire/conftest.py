# SPDX-License-Identifier: BSD-2-Clause
"""What all wire tests share: TAP for automake, and where the program is."""

import os
import pathlib

import pytest


def pytest_addoption(parser):
    parser.addoption("--tap", action="store_true", help="print TAP lines for make check")


class Tap:
    def __init__(self):
        self.count = 0

    def say(self, verdict, nodeid, note=""):
        self.count += 1
        print(f"\n{verdict} {self.count} - {nodeid.replace('#', '')}{note}", flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.say("not ok", report.nodeid)
            print("\n".join("# " + line for line in str(report.longrepr).splitlines()))

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else "expected"
            self.say("ok", report.nodeid, f" # SKIP {reason}")
        elif report.failed:
            self.say("not ok", report.nodeid)
        elif report.when == "call":
            self.say("ok", report.nodeid)

    def pytest_sessionfinish(self):
        print(f"\n1..{self.count}", flush=True)


def pytest_configure(config):
    if config.getoption("--tap"):
        config.pluginmanager.register(Tap())


@pytest.fixture(scope="session")
def top_builddir():
    return pathlib.Path(os.environ.get("TOP_BUILDDIR", "build"))


@pytest.fixture(scope="session")
def rouse(top_builddir):
    """The program under test."""
    return os.environ.get("ROUSE", str(top_builddir / "rouse"))
