# SPDX-License-Identifier: BSD-2-Clause
"""A plugin of somebody else: built out of tree against what `make install` put there, and used."""

import os
import pathlib
import shlex
import subprocess

import pytest

from rousetest import Connection, free_port

SOURCE = pathlib.Path(__file__).parent.parent / "thirdparty" / "hello.c"
CC = shlex.split(os.environ.get("CC") or "cc")
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*argv, **env):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=300,
                          check=False, env={**os.environ, **env})
    assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(top_builddir, tmp_path_factory):
    """Where everything is, after make install DESTDIR=."""
    root = tmp_path_factory.mktemp("installed")
    run("make", "-C", top_builddir, "install", f"DESTDIR={root}", MAKEFLAGS="", MAKELEVEL="")
    return root


@pytest.fixture(scope="module")
def pkg_config(installed):
    found = list(installed.glob("**/pkgconfig/rouse.pc"))
    assert len(found) == 1, found
    env = {"PKG_CONFIG_PATH": str(found[0].parent), "PKG_CONFIG_SYSROOT_DIR": str(installed)}
    return lambda *what: run("pkg-config", *what, "rouse", **env).split()


@pytest.fixture(scope="module")
def hello(installed, pkg_config, tmp_path_factory):
    """hello.so, compiled far from the source tree."""
    there = tmp_path_factory.mktemp("elsewhere")
    (there / "hello.c").write_text(SOURCE.read_text())
    run(*CC, *STRICT, *pkg_config("--cflags"), "-fPIC", "-shared", "-Wl,-z,defs", "-o",
        there / "hello.so", there / "hello.c")
    return there / "hello.so"


def test_what_is_installed(installed, pkg_config):
    headers = sorted(path.name for path in installed.glob("**/include/rouse/*"))
    assert headers == ["plugin.h", "services.h"]
    assert pkg_config("--modversion")[0][0].isdigit()
    place = pathlib.Path(pkg_config("--variable=pluginsdir")[0])
    if not str(place).startswith(str(installed)):
        place = installed / str(place).lstrip("/")
    assert {"exec.so", "http.so", "local.so"} <= {path.name for path in place.iterdir()}
    (program,) = installed.glob("**/bin/rouse")
    assert run(program, "version").startswith("rouse ")


@pytest.mark.parametrize("compiler", [["cc", "-std=c11"], ["c++", "-std=c++17"]],
                         ids=["c", "c++"])
def test_the_header_stands_alone(pkg_config, tmp_path, compiler):
    """In C, and in C++ where there is one."""
    source = tmp_path / "alone.c"
    source.write_text("#include <rouse/plugin.h>\nint rouse_abi(void);\n"
                      "int rouse_abi(void) { return ROUSE_PLUGIN_ABI; }\n")
    try:
        subprocess.run([compiler[0], "--version"], capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip(f"no {compiler[0]}")
    language = "c++" if compiler[0] == "c++" else "c"
    run(*compiler, "-Wall", "-Wextra", "-Werror", *pkg_config("--cflags"), "-x", language,
        "-fsyntax-only", source)


def undefined(library):
    return {line.split()[-1].split("@")[0]
            for line in run("nm", "-D", "--undefined-only", library).splitlines()}


def test_plugins_need_nothing_of_rouse(hello, top_builddir):
    """No plugin leaves a symbol to the program; only the one entry is offered."""
    for library in [hello, *pathlib.Path(top_builddir, "plugins").glob("*.so")]:
        ours = {name for name in undefined(library) if "rouse" in name}
        assert not ours, f"{library}: {ours}"
        offered = {line.split()[-1] for line in
                   run("nm", "-D", "--defined-only", library).splitlines()}
        assert "rouse_plugin" in offered
        if library != hello and not os.environ.get("INSTRUMENT"):
            assert offered == {"rouse_plugin"}, library


def configuration(port, address, option="address"):
    return f"""
listen: [{{ address: 127.0.0.1:{port} }}]
admin: {{ socket: "" }}
log: {{ format: json }}
platforms: {{ far: {{ plugin: hello, {option}: "{address}" }} }}
sites:
  - {{ host: "*.t.localhost", platform: far, connect: {{ allow: [127.0.0.0/8] }} }}
"""


def check(rouse, directory, text, plugins):
    file = directory / "rouse.yaml"
    file.write_text(text)
    return subprocess.run([rouse, "check", "-c", str(file), "--plugin-dir", str(plugins)],
                          capture_output=True, text=True, timeout=20, check=False)


def test_rouse_check_tries_it(rouse, hello, tmp_path):
    fine = check(rouse, tmp_path, configuration(8080, "127.0.0.1:1"), hello.parent)
    assert fine.returncode == 0, fine.stderr
    # Its own word on an option, its option table, and a plugin that is not there.
    wrong = check(rouse, tmp_path, configuration(8080, ":80"), hello.parent)
    assert wrong.returncode == 78 and "address: it has no host" in wrong.stderr
    typo = check(rouse, tmp_path, configuration(8080, "127.0.0.1:1", "adress"), hello.parent)
    assert typo.returncode == 78 and 'did you mean "address"?' in typo.stderr
    absent = check(rouse, tmp_path, configuration(8080, "127.0.0.1:1"), tmp_path)
    assert absent.returncode == 78 and "hello" in absent.stderr


@pytest.mark.parametrize("change, why", [
    ("s/ROUSE_PLUGIN_HEAD/ROUSE_PLUGIN_ABI + 1, sizeof(struct rouse_plugin)/", "another version"),
    ("s/ROUSE_PLUGIN_HEAD/ROUSE_PLUGIN_ABI, 16/", "too short"),
    ("s/rouse_plugin = /rouse_plug = /", "does not define rouse_plugin"),
    ("s/hello_start, hello_cancel/hello_start, 0/", "not filled"),
], ids=["newer-abi", "short", "no-symbol", "no-cancel"])
def test_a_wrong_plugin_stays_out(rouse, pkg_config, tmp_path, change, why):
    (tmp_path / "wrong.c").write_text(run("sed", change, SOURCE))
    run(*CC, "-w", *pkg_config("--cflags"), "-fPIC", "-shared", "-o", tmp_path / "hello.so",
        tmp_path / "wrong.c")
    done = check(rouse, tmp_path, configuration(8080, "127.0.0.1:1"), tmp_path)
    assert done.returncode == 78 and why in done.stderr, done.stderr


def test_a_request_goes_through_it(gateway, witness, hello):
    w = witness()
    port = free_port()
    g = gateway(configuration(port, f"127.0.0.1:{w.port}"),
                args=["--plugin-dir", str(hello.parent)])
    with Connection(port) as c:
        assert c.request(b"GET / HTTP/1.1\r\nHost: 3000-any.t.localhost\r\n\r\n").status == 200
    assert g.wait_event("plugin", hook__name="far", detail="hello")
