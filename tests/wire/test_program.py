# SPDX-License-Identifier: BSD-2-Clause
"""The program starts, and its exit statuses are those of the manual."""

import subprocess


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)


def test_version(rouse):
    done = run(rouse, "version")
    assert done.returncode == 0
    assert done.stdout.startswith("rouse ")


def test_help(rouse):
    done = run(rouse, "help")
    assert done.returncode == 0
    assert "version" in done.stdout


def test_unknown_verb_is_wrong_usage(rouse):
    done = run(rouse, "frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr
