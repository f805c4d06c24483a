# SPDX-License-Identifier: BSD-2-Clause
"""The command line without a gateway: help, exit statuses, check, show config, sample, schema."""

import json
import os
import pathlib
import re
import resource
import subprocess

import pytest

TOP = pathlib.Path(os.environ.get("TOP_SRCDIR", "."))
COMMANDS = ["serve", "check", "status", "show", "get", "wake", "pause", "forget", "explain",
            "drain", "reload", "version", "help"]

GOOD = """\
listen: [{ address: "127.0.0.1:0" }]
admin: { socket: "%s" }
platforms:
  own: { plugin: http, inspect: "http://127.0.0.1:1/{id}", secret: whsec_c2VjcmV0c2VjcmV0c2VjcmV0 }
sites:
  - { host: "*.t.localhost", platform: own }
"""


@pytest.fixture
def run(rouse, tmp_path):
    """run(arg, ...) in an empty directory."""
    program = str(pathlib.Path(rouse).resolve())

    def call(*args, env=None, **options):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ROUSE_S")}
        return subprocess.run([program, *args], capture_output=True, text=True, timeout=30,
                              check=False, cwd=tmp_path, env=environment | (env or {}), **options)
    return call


@pytest.fixture
def write(tmp_path):
    def put(text, name="rouse.yaml"):
        (tmp_path / name).write_text(text)
        return name
    return put


def test_alone_prints_a_short_help(run):
    done = run()
    assert done.returncode == 0
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.M), name
    assert len(done.stdout.splitlines()) < 30
    assert run("help").stdout == done.stdout == run("--help").stdout


@pytest.mark.parametrize("name", COMMANDS + ["config"])
def test_each_command_has_help(run, name):
    done = run(name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: rouse {name}")
    assert run("help", name).stdout == done.stdout


@pytest.mark.parametrize("args", [
    ["frobnicate"], ["status", "--bogus"], ["status", "extra"], ["wake"], ["wake", "a", "b"],
    ["wake", "../x"], ["wake", "Ünicode"], ["wake", "a/b/c"], ["show"], ["show", "everything"],
    ["show", "streams"], ["status", "-o", "xml"], ["status", "-o"], ["version", "-c", "x"],
    ["config", "nothing"], ["help", "no_such_error"], ["explain"],
])
def test_wrong_usage(run, args):
    done = run(*args)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("rouse: ") and "hint: " in done.stderr


def test_did_you_mean(run):
    assert 'did you mean "status"' in run("stauts").stderr
    assert 'did you mean "port_closed"' in run("help", "port_clsed").stderr


def test_version(run):
    text = run("version").stdout
    data = json.loads(run("version", "-o", "json").stdout)
    assert text == f"rouse {data['version']} ({data['build']})\n" == run("--version").stdout


def slugs():
    text = (TOP / "src/base/reason.def").read_text()
    return re.findall(r'^REASON\(\w+,\s*"(\w+)"', text, re.M)


def test_every_error_has_help(run):
    names = slugs()
    assert len(names) > 40
    for name in names:
        done = run("help", name)
        assert done.returncode == 0, name
        assert done.stdout.startswith(name) and len(done.stdout.splitlines()) >= 4, done.stdout


@pytest.mark.parametrize("plugin", ["http", "exec", "local"])
def test_every_plugin_has_help(run, plugin):
    done = run("help", plugin)
    assert done.returncode == 0
    assert done.stdout.startswith(f"plugin {plugin}") and "options of a platform" in done.stdout


def test_the_sample_is_what_the_table_makes(run):
    assert run("config", "sample").stdout == (TOP / "conf/rouse.yaml").read_text()
    assert run("config", "schema").stdout == (TOP / "conf/rouse.schema.json").read_text()


def test_the_sample_is_valid_and_shows_the_defaults(run, write):
    sample = write(run("config", "sample").stdout)
    assert run("check", "-c", sample).returncode == 0
    shown = run("show", "config", "-c", sample).stdout
    lines = [re.sub(r"\s+#.*", "", line).rstrip() for line in
             (TOP / "conf/rouse.yaml").read_text().splitlines()]
    settings = {line for line in lines if line and not line.lstrip().startswith("#")}
    # Those that are worked out when it starts.
    settings -= {"workers: auto", "  connections: auto"}
    assert settings <= set(shown.splitlines()), settings - set(shown.splitlines())


def schema_takes(schema, value):
    """So much of JSON Schema as ours uses."""
    if "anyOf" in schema:
        return any(schema_takes(one, value) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if kind == "object":
        props, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        return (isinstance(value, dict) and all(key in value for key in schema.get("required", []))
                and all(schema_takes(props[k], v) if k in props else
                        more is True or (isinstance(more, dict) and schema_takes(more, v))
                        for k, v in value.items()))
    if kind == "array":
        return isinstance(value, list) and all(schema_takes(schema["items"], v) for v in value)
    if kind == "string":
        return isinstance(value, str) and bool(re.search(schema.get("pattern", ""), value))
    return isinstance(value, {"integer": int, "boolean": bool}[kind])


def test_the_schema_takes_what_check_takes(run, write):
    schema = json.loads(run("config", "schema").stdout)
    good = {"listen": [{"address": "127.0.0.1:1"}], "limits": {"request_body": "1m", "pool": 5},
            "platforms": {"own": {"plugin": "http", "inspect": "http://h/{id}"}},
            "admin": {"token": "x"}, "log": {"level": "debug", "access": False},
            "sites": [{"host": "a.b", "platform": "own", "hold": {"timeout": "3s"},
                       "wake": {"limit_per_client": "1/min"}, "idle": {"pause_after": "off"}}]}
    assert run("check", "-c", write(json.dumps(good))).returncode == 0
    assert schema_takes(schema, good)
    for bad in ({"hold": {"timeout": 5}}, {"hold": {"timout": "5s"}}, {"dialect": "e3b"},
                {"wake": {"limit_per_client": "1"}}):
        wrong = good | {"sites": [good["sites"][0] | bad]}
        assert run("check", "-c", write(json.dumps(wrong))).returncode == 78
        assert not schema_takes(schema, wrong), bad


def test_check_says_fine(run, write):
    done = run("check", "-c", write(GOOD % ""))
    assert (done.returncode, done.stderr) == (0, "")
    assert run("check").returncode == 0           # ./rouse.yaml
    assert json.loads(run("check", "-o", "json").stdout) == []


def test_check_prints_every_mistake(run, write):
    text = (GOOD % "").replace("platform: own", "platform: owm, hold: { timeout: 5 }")
    text = "lisen: 5\n" + text
    done = run("check", "-c", write(text))
    assert done.returncode == 78 and done.stdout == ""
    assert done.stderr == """\
rouse.yaml:1:1: error: unknown key "lisen"
    lisen: 5
    ^
hint: did you mean "listen"?
rouse.yaml:7:40: error: there is no platform "owm"
      - { host: "*.t.localhost", platform: owm, hold: { timeout: 5 } }
                                           ^
hint: did you mean "own"?
rouse.yaml:7:62: error: sites[].hold.timeout: "5" is not a duration from 0 to 1h
      - { host: "*.t.localhost", platform: owm, hold: { timeout: 5 } }
                                                                 ^
hint: add a unit: 250ms, 45s, 10m, 1h
"""
    found = json.loads(run("check", "-o", "json").stdout)
    assert [(one["line"], one["column"]) for one in found] == [(1, 1), (7, 40), (7, 62)]


def test_check_stops_at_twenty(run, write):
    text = GOOD % "" + "".join(f"key{i}: 1\n" for i in range(30))
    done = run("check", "-c", write(text))
    assert done.stderr.count("error:") == 20 and "and 10 more" in done.stderr


def test_check_without_a_file(run, tmp_path):
    done = run("check")
    if not pathlib.Path("/etc/rouse/rouse.yaml").exists():
        assert done.returncode == 78 and "no configuration" in done.stderr
    done = run("check", "-c", "nowhere.yaml")
    assert done.returncode == 78 and "No such file" in done.stderr
    done = run("check", "-c", str(tmp_path))
    assert done.returncode == 78 and "directory" in done.stderr


def test_check_refuses_a_huge_file(run, tmp_path):
    with open(tmp_path / "rouse.yaml", "wb") as f:
        f.truncate(100 << 20)
    done = run("check")
    assert done.returncode == 78 and "larger than 4 MiB" in done.stderr


def test_variables_and_files(run, write, tmp_path):
    text = (GOOD % "").replace("whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "{ file: key }")
    write(text.replace("127.0.0.1:0", "127.0.0.1:${PORT}"))
    key = tmp_path / "key"
    key.write_text("whsec_c2VjcmV0c2VjcmV0c2VjcmV0\n")
    key.chmod(0o600)
    assert run("check", env={"PORT": "8080"}).returncode == 0
    assert "address: 127.0.0.1:8080" in run("show", "config", env={"PORT": "8080"}).stdout
    assert "PORT is not set" in run("check").stderr
    key.chmod(0o604)
    done = run("check", env={"PORT": "8080"})
    assert done.returncode == 78 and "is open to every user" in done.stderr
    key.unlink()
    assert "No such file" in run("check", env={"PORT": "8080"}).stderr


def test_show_config_masks_secrets(run, write):
    write(GOOD % "")
    for args in (["show", "config"], ["show", "config", "-o", "json"]):
        done = run(*args)
        assert done.returncode == 0
        assert "c2VjcmV0" not in done.stdout and "***" in done.stdout
    assert json.loads(done.stdout)["sites"][0]["host"] == "*.t.localhost"
    assert run("show", "limits").stdout.startswith("limits:\n")


def test_commands_that_need_a_gateway(run, write, tmp_path):
    write(GOOD % (tmp_path / "admin.sock"))
    for args in (["status"], ["show", "sandboxes"], ["get", "x"], ["wake", "x"], ["pause", "x"],
                 ["drain"], ["reload"]):
        done = run(*args)
        assert done.returncode == 1, args
        assert "no gateway at " in done.stderr and "admin.sock" in done.stderr
        assert "hint: " in done.stderr
    assert run("status", "-s", "/nowhere.sock").returncode == 1
    assert run("status", "-c", "nowhere.yaml").returncode == 78


def test_explain(run, write):
    write(GOOD % "")
    done = run("explain", "http://3000-blog.t.localhost:8080/x", "-H", "Accept: text/html")
    assert done.returncode == 0
    for line in ("site     *.t.localhost: ", "sandbox  blog: port 3000", "class    navigation: ",
                 "page     waiting page: "):
        assert line in done.stdout
    for url, slug in (("http://blog.t.localhost/", "bad_host"), ("http://a.other/", "unknown_site"),
                      ("http://99999-x.t.localhost/", "bad_host")):
        done = run("explain", url, "-o", "json")
        assert done.returncode == 1
        assert json.loads(done.stdout)[-1]["result"] == slug
    done = run("explain", "http://3000-blog.t.localhost/", "-H", "bad header")
    assert done.returncode == 1 and "request_invalid" in done.stdout


def test_connections_by_the_descriptors_that_may_be_had(run, write):
    """The soft limit is raised to the hard one, so that one counts."""
    write(GOOD % "")
    for hard, wanted in ((2012, 500), (6512, 2000), (100, 64)):
        done = run("show", "limits", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (min(hard, 80), hard)))
        assert f"connections: {wanted}\n" in done.stdout, (hard, done.stdout, done.stderr)


def test_serve_refuses_a_bad_configuration(run, write):
    write("listen: 5\n")
    done = run("serve")
    assert done.returncode == 78 and "error: listen must be a list" in done.stderr


def test_serve_says_why_it_cannot_listen(run, write):
    write((GOOD % "").replace("127.0.0.1:0", "203.0.113.1:1"))
    done = run("serve")
    assert done.returncode == 1 and "203.0.113.1:1" in done.stderr
