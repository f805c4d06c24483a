# SPDX-License-Identifier: BSD-2-Clause
"""A thousand ordinary requests: what real clients send, in their own order and spelling."""

import dataclasses

HOST = "3000-blog.t.localhost"

CHROME = ["Connection: keep-alive", 'sec-ch-ua: "Chromium";v="131", "Not_A Brand";v="24"',
          "sec-ch-ua-mobile: ?0", 'sec-ch-ua-platform: "Linux"',
          "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/131.0.0.0 Safari/537.36", "Accept-Encoding: gzip, deflate, br, zstd",
          "Accept-Language: en-US,en;q=0.9,de;q=0.8"]
FIREFOX = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
           "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br, zstd",
           "Connection: keep-alive", "DNT: 1", "Sec-GPC: 1", "Priority: u=0, i"]
NAVIGATE = ["Upgrade-Insecure-Requests: 1",
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
            "*/*;q=0.8",
            "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1",
            "Sec-Fetch-Dest: document"]
FETCH = ["Accept: */*", "Origin: http://3000-blog.t.localhost:8080", "Sec-Fetch-Site: same-origin",
         "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty",
         "Referer: http://3000-blog.t.localhost:8080/app?x=1"]
IMAGE = ["Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
         "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image",
         "If-None-Match: W/\"5e-18\"", "If-Modified-Since: Sun, 22 Nov 2026 06:00:00 GMT"]
COOKIES = ["Cookie: session=eyJhbGciOiJIUzI1NiJ9.e30.x_y-z; theme=dark; _ga=GA1.1.123; empty=; "
           "q=\"a b\""]

CLIENTS = {
    "chrome page": CHROME + NAVIGATE + COOKIES, "chrome fetch": CHROME + FETCH + COOKIES,
    "chrome image": CHROME + IMAGE, "firefox page": FIREFOX + NAVIGATE,
    "firefox fetch": FIREFOX + FETCH + COOKIES, "firefox image": FIREFOX + IMAGE + COOKIES,
    "safari": NAVIGATE[1:2] + ["User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
                               "AppleWebKit/605.1.15 (KHTML, like Gecko) "
                               "Version/18.1 Safari/605.1.15",
                               "Accept-Language: en-GB,en;q=0.9", "Accept-Encoding: gzip, deflate",
                               "Connection: keep-alive"],
    "android webview": ["User-Agent: Mozilla/5.0 (Linux; Android 14; Pixel 8; wv)", "Accept: */*",
                        "X-Requested-With: com.example.app", "Accept-Encoding: gzip, deflate"],
    "curl": ["User-Agent: curl/8.11.0", "Accept: */*"],
    "curl with much": ["Authorization: Basic dXNlcjpwYXNz", "User-Agent: curl/7.88.1",
                       "Accept: */*",
                       "X-Empty:", "Range: bytes=0-99,200-299",
                       "Accept-Encoding: deflate, gzip, br"],
    "wget": ["User-Agent: Wget/1.21.3", "Accept: */*", "Accept-Encoding: identity",
             "Connection: Keep-Alive"],
    "requests": ["User-Agent: python-requests/2.32.3", "Accept-Encoding: gzip, deflate",
                 "Accept: */*",
                 "Connection: keep-alive"],
    "httpx": ["accept: */*", "accept-encoding: gzip, deflate", "connection: keep-alive",
              "user-agent: python-httpx/0.28.0"],
    "aiohttp": ["Accept: */*", "Accept-Encoding: gzip, deflate",
                "User-Agent: Python/3.12 aiohttp/3.11.7"],
    "urllib": ["Accept-Encoding: identity", "User-Agent: Python-urllib/3.11", "Connection: close"],
    "undici": ["connection: keep-alive", "accept: */*", "accept-language: *",
               "sec-fetch-mode: cors",
               "user-agent: node", "accept-encoding: gzip, deflate"],
    "axios": ["Accept: application/json, text/plain, */*", "User-Agent: axios/1.7.8",
              "Accept-Encoding: gzip, compress, deflate, br", "Connection: keep-alive"],
    "go": ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"],
    "java": ["Connection: Upgrade, HTTP2-Settings",
             "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
             "Upgrade: h2c", "User-Agent: Java-http-client/21.0.5"],
    "okhttp": ["Connection: Keep-Alive", "Accept-Encoding: gzip", "User-Agent: okhttp/4.12.0"],
    "apache httpclient": ["Connection: Keep-Alive",
                          "User-Agent: Apache-HttpClient/4.5.14 (Java/17.0.13)",
                          "Accept-Encoding: gzip,deflate"],
    "dotnet": ["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
               "tracestate: a=1,b=2", "Request-Id: |4bf92f.1."],
    "ruby": ["Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "Accept: */*",
             "User-Agent: Ruby"],
    "guzzle": ["User-Agent: GuzzleHttp/7"],
    "reqwest": ["accept: */*", "user-agent: reqwest/0.12.9"],
    "lwp": ["TE: deflate,gzip;q=0.3", "Connection: TE, close",
            "User-Agent: lwp-request/6.68 libwww-perl/6.68"],
    "powershell": ["User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) "
                   "WindowsPowerShell/5.1"],
    "git": ["User-Agent: git/2.47.1", "Accept: */*", "Accept-Encoding: deflate, gzip, br, zstd",
            "Pragma: no-cache", "Git-Protocol: version=2"],
    "npm": ["npm-auth-type: web", "npm-command: install",
            "user-agent: npm/10.9.0 node/v22.11.0 linux x64",
            "accept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"],
    "prometheus": ["User-Agent: Prometheus/2.55.1", "Accept-Encoding: gzip",
                   "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3,"
                   "*/*;q=0.1",
                   "X-Prometheus-Scrape-Timeout-Seconds: 10"],
    "connect sdk": ["User-Agent: connect-es/1.6.1", "Connect-Protocol-Version: 1",
                    "Connect-Timeout-Ms: 60000",
                    "X-Access-Token: planted"],
    "slackbot": ["User-Agent: Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
                 "Accept: */*",
                 "Range: bytes=0-32768"],
    "proxied": ["X-Forwarded-For: 198.51.100.7, 10.1.1.1", "X-Forwarded-Proto: https",
                "X-Real-IP: 198.51.100.7",
                "Forwarded: for=198.51.100.7;proto=https", "Via: 1.1 varnish, 1.1 cache",
                "CF-Ray: 8e6a",
                "X-Request-Id: 0193a7b2c3d4e5f60718293a4b5c6d7e"],
    "utf-8 field": ["User-Agent: caf\u00e9 \u4f60\u597d", "X-Title: \u00fcber"],
}

JSON = b'{"query":"{ me { id } }","variables":{"a":[1,2,3],"b":null}}'
FORM = b"name=J%C3%BCrgen&text=a+b%0D%0Ac&empty=&tag=1&tag=2"
MULTIPART = (b"--xYzZY\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n"
             b"Content-Type: application/octet-stream\r\n\r\n" + bytes(range(256))
             + b"\r\n--xYzZY--\r\n")
FAKE = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n0\r\n\r\n"

SHAPES = [
    ("GET", "/", None, None), ("GET", "/index.html?utm_source=a&b=c#".rstrip("#"), None, None),
    ("GET", "/api/v1/items/42?fields=id,name&sort=-created", None, None), ("HEAD", "/big.iso",
                                                                           None, None),
    ("GET", "/static/js/main.8f3e2c.chunk.js.map", None, None), ("OPTIONS", "/api/v1/items", None,
                                                                 None),
    ("GET", "/search?q=caf%C3%A9+%26+bar&lang=de", None, None), ("GET", "/a%20b/c%2Fd/%E4%BD%A0",
                                                                 None, None),
    ("GET", "/_next/data/x_Y-z/index.json?slug=[id]&x={y}|z", None, None), ("GET", "/@vite/client",
                                                                            None, None),
    ("GET", "/node_modules/.vite/deps/vue.js?v=12ab", None, None), ("GET", "/x;jsessionid=1.2?y=~",
                                                                    None, None),
    ("GET", "/info/refs?service=git-upload-pack", None, None), ("GET", "/favicon.ico", None, None),
    ("GET", "//double//slash/../up/./here", None, None), ("GET", "/" + "long/" * 200, None, None),
    ("GET", "/?" + "&".join(f"k{i}=v{i}" for i in range(150)), None, None), ("DELETE",
                                                                             "/api/v1/items/42",
                                                                             None, None),
    ("POST", "/api/graphql", "application/json", JSON), ("POST", "/login",
                                                         "application/x-www-form-urlencoded", FORM),
    ("POST", "/upload", "multipart/form-data; boundary=xYzZY", MULTIPART), ("PUT", "/doc/1",
                                                                            "application/json",
                                                                            JSON),
    ("PATCH", "/doc/1", "application/merge-patch+json", b'{"a":null}'), ("POST", "/empty", None,
                                                                         b""),
    ("DELETE", "/api/v1/items?bulk=1", "application/json", b"[1,2,3]"), ("POST", "/raw",
                                                                         "text/plain", FAKE),
    ("POST", "/service.Users/Get", "application/json", b"{}"), ("POST", "/blob",
                                                                "application/octet-stream",
                                                                  bytes(range(256)) * 64),
    ("PUT", "/file", "application/octet-stream", b"\r\n" * 500), ("GET", "/with-body",
                                                                  "application/json", JSON),
]
# How a body is sent: counted, in one chunk, in many, counted and expecting a 100.
FRAMINGS = ("counted", "chunked", "many chunks", "expect")


@dataclasses.dataclass
class Ordinary:
    name: str
    data: bytes
    method: str
    target: str
    fields: list                # (name, value) as sent
    body: bytes


def _encode(body, framing):
    if framing in ("counted", "expect"):
        lines = [f"Content-Length: {len(body)}"]
        return lines + (["Expect: 100-continue"] if framing == "expect" else []), body
    size = max(1, len(body) if framing == "chunked" else 7)
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    if len(pieces) > 300:
        pieces = [body[:1], body[1:1000], body[1000:]]
    wire = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return ["Transfer-Encoding: chunked"], wire + b"0\r\n\r\n"


def requests():
    """All of them; request n carries `X-Rid: o.n`."""
    made = []
    for client, lines in CLIENTS.items():
        for number, (method, target, kind, body) in enumerate(SHAPES):
            fields = list(lines)
            wire = b""
            if body is not None:
                framing = FRAMINGS[(number + len(made)) % len(FRAMINGS)]
                more, wire = _encode(body, framing)
                fields += ([f"Content-Type: {kind}"] if kind else []) + more
            fields.append(f"X-Rid: o.{len(made)}")
            head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {HOST}",
                                *fields]) + "\r\n\r\n"
            pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in fields]
            made.append(Ordinary(f"{client}: {method} {target[:30]}", head.encode() + wire, method,
                                 target,
                                 pairs, body or b""))
    return made
