# SPDX-License-Identifier: BSD-2-Clause
"""A configuration that many tests share.  What a test is about stands in the test itself."""


def config(port, platform, site="", more=""):
    """One listener, one platform `own`, one site *.t.localhost; the limits of one client are off.

    site: more keys of the site, a line each with four blanks before it; more: more of the file.
    """
    return f"""\
listen:
  - address: 127.0.0.1:{port}
admin: {{ socket: "" }}
workers: 2
log: {{ format: json, level: info, access: true }}
limits: {{ connections_per_source: off, connection_rate: off }}
platforms:
  own: {platform}
sites:
  - host: "*.t.localhost"
    platform: own
    connect: {{ allow: [127.0.0.0/8, 10.0.0.0/8] }}
{site}{more}"""
