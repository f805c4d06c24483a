# SPDX-License-Identifier: BSD-2-Clause
"""A configuration that many tests share.  What a test is about stands in the test itself."""


def config(port, platform, site="", more="", http2=True):
    """One listener, one platform `own`, one site *.t.localhost; the limits of one client are off.

    site: more keys of the site, a line each with four blanks before it; more: more of the file.
    """
    return f"""\
listen:
  - address: 127.0.0.1:{port}
    http2: {"true" if http2 else "false"}
admin: {{ socket: "" }}
workers: 2
log: {{ format: json, level: info, access: true }}
limits: {{ connections_per_source: off, connection_rate: off, pool_per_sandbox: 1000,
          wakes: off }}
platforms:
  own: {platform}
sites:
  - host: "*.t.localhost"
    platform: own
    connect: {{ allow: [127.0.0.0/8, 10.0.0.0/8] }}
    hold: {{ per_sandbox: 20000, per_tenant: 20000, per_source: 20000, total: 20000 }}
{site}{more}"""


def flow(options):
    """A YAML flow mapping of plain values."""
    return "{ " + ", ".join(f"{key}: {value}" for key, value in options.items()) + " }"


def one_site(port, hook, host="*.t.localhost", workers=2, limits=None, hold=None, wake=None,
             connect=None, idle=None, admin=None, probes=None, tls_port=None, certificates=None):
    """tls_port, certificates: a second listener, with TLS."""
    site = [f'host: "{host}"', "platform: own"]
    connect = {"allow": "[127.0.0.0/8, 10.0.0.0/8]"} | (connect or {})
    for name, options in (("hold", hold), ("wake", wake), ("connect", connect), ("idle", idle),
                          ("probes", probes)):
        if options:
            site.append(f"{name}: {flow(options)}")
    listeners = [f"{{ address: 127.0.0.1:{port} }}"]
    if tls_port:
        listeners.append(f"{{ address: 127.0.0.1:{tls_port}, "
                         f"tls: {{ certificates: {certificates} }} }}")
    text = [f"listen: [ {', '.join(listeners)} ]", f"workers: {workers}",
            f"platforms: {{ own: {hook.platform()} }}"]
    if limits:
        text.append(f"limits: {flow(limits)}")
    admin = admin or {"socket": '""'}
    text.append(f"admin: {flow(admin)}")
    return "\n".join(text) + "\nsites:\n  - { " + ", ".join(site) + " }\n"


# Ten thousand clients of one address: raised for tests of that, never by default.
WIDE = {"connections": 20000, "connections_per_source": "off", "connection_rate": "off"}
WIDE_HOLD = {"per_sandbox": 20000, "per_tenant": 20000, "per_source": 20000, "total": 20000}
