# SPDX-License-Identifier: BSD-2-Clause
"""Plays cases_h2.py against any server: how the cases themselves were tried.

    python3 run_conformance.py PORT [--tls] [--host NAME] [--path /large] [--only TEXT]
"""

import argparse
import ssl

import cases_h2
from rousetest import conformance
from rousetest.link import Link


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--path", help="of an answer of at least 100 bytes")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    context = None
    if options.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
    cases = [one for one in cases_h2.CASES if "awake" in one.states and options.only in str(one)]
    failed = 0
    for one in cases:
        link = Link.connect(options.port, context, options.host)
        complaint = conformance.run(one, link, options.host, options.tls, "awake", options.path, 3)
        if complaint:
            failed += 1
            print(f"{one}: {complaint}")
    print(f"{failed} of {len(cases)} failed")


if __name__ == "__main__":
    main()
