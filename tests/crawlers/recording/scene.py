"""A page that fetches in every way there is, and the site's own account of what it answered."""

import gzip
import json
import re
import struct
import threading
import wave
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO

import brotli

from tests.site.host import Answer, Ending, Host, Request, Route, redirect

SHOP = "www.stall.example"
COUSIN = "cdn.stall.example"
STRANGER = "widgets.other.example"
CLEAR = "clear.example"


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """One exchange as the site had it."""

    method: str
    url: str
    status: int
    body: bytes = field(repr=False)
    """Content codings removed."""
    posted: bytes = field(repr=False)


class Account:
    """Written by the site's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.served: list[Served] = []

    def note(self, request: Request, answer: Answer, scheme: str) -> None:
        body = b"" if answer.status == 204 else answer.body
        for name, value in answer.headers:
            if name == "Content-Encoding":
                body = {"gzip": gzip.decompress, "br": brotli.decompress}[value](body)
        url = f"{scheme}://{request.host}{request.path}"
        if request.query and not request.body:
            url += "?" + "&".join(f"{name}={value}" for name, value in request.query.items())
        with self._lock:
            self.served.append(
                Served(method=request.method, url=url, status=answer.status, body=body, posted=request.body)
            )


def png(size: int = 40) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(size)) for y in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound(seconds: int = 60) -> bytes:
    """5 MB or so of what a browser plays by ranges."""
    made = BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(bytes((n * 7) % 251 for n in range(256)) * (22_050 * 4 * seconds // 256))
    return made.getvalue()


PICTURE = png()
SOUND = sound()
SCRIPT = (
    b"// a script\n"
    + b"var filler = 'abcdefghijklmnopqrstuvwxyz';\n" * 60
    + b"document.title = 'Stall, with everything';\n"
)
STYLE = b"/* a style */ h1 { color: #345 }\n" + b".x { margin: 0 }\n" * 80
DATA = json.dumps({"items": [{"n": n, "preço": "1,00"} for n in range(200)]}).encode()
LATIN = "Żółta biżuteria, ".encode("iso-8859-2") * 100
STREAM = bytes(range(256)) * 20

PAGE = """<!doctype html><html><head><meta charset=utf-8><title>Stall</title>
<link rel=stylesheet href=/style.css>
<link rel=prefetch href=/ahead>
<script type=speculationrules>{"prefetch": [{"urls": ["/guessed"], "eagerness": "immediate"}]}</script>
<script src=/script.js></script>
<script src=/no-such-script.js></script>
<link rel=stylesheet href=/no-such-style.css>
</head><body><h1>Stall</h1><p>%(filler)s</p>
<img src=/picture.png alt=""><img src=/moved-picture alt=""><img src=/no-such-picture.png alt="">
<img src=/lazy.png loading=lazy alt="">
<iframe src=/inside width=200 height=50></iframe>
<iframe src="https://widgets.other.example/widget" width=200 height=50></iframe>
<audio src=/sound.wav preload=auto controls></audio>
<script>
const done = name => document.body.dataset[name] = 'yes';
const text = url => fetch(url).then(r => r.text());
Promise.all([
  text('/data.json'), text('/latin'), text('/missing-data'), text('/moved-data'), text('/nothing'),
  text('https://cdn.stall.example/shared.json'),
  fetch('/post', {method: 'POST', body: new URLSearchParams('a=1&b=%%C5%%BC')}),
  fetch('/upload', {method: 'POST', body: new Blob([new Uint8Array([0, 255, 128, 10, 13])])}),
  fetch('https://cdn.stall.example/put', {method: 'PUT', body: '{"x":1}',
    headers: {'Content-Type': 'application/json'}}),
  fetch('/head', {method: 'HEAD'}),
  fetch('/stream').then(r => r.arrayBuffer()),
]).then(() => done('fetched'));
navigator.sendBeacon('/beacon', 'seen=1');
const halt = new AbortController();
fetch('/slow', {signal: halt.signal}).catch(() => done('aborted'));
setTimeout(() => halt.abort(), 300);
const worker = new Worker('/worker.js'); worker.onmessage = () => done('worked');
const shared = new SharedWorker('/shared-worker.js'); shared.port.onmessage = () => done('shared');
navigator.serviceWorker.register('/sw.js', {scope: '/sw/'}).then(async r => {
  const w = r.active || r.installing || r.waiting;
  const ready = go => w.state === 'activated' && go();
  await new Promise(go => { ready(go); w.onstatechange = () => ready(go); });
  const frame = document.createElement('iframe'); frame.src = '/sw/frame'; document.body.append(frame);
});
addEventListener('message', e => done(e.data));
</script>
</body></html>"""  # fmt: skip

INSIDE = "<!doctype html><meta charset=utf-8><p>inside<script>fetch('/inside-data').then(r => r.text())</script>"
DEEP = "<!doctype html><meta charset=utf-8><p>%(n)d within<script>fetch('/deep-data')</script>%(more)s"
"""Frames of two sites by turns, each within the other: each has a process of its own."""
WIDGET = (
    "<!doctype html><meta charset=utf-8><link rel=stylesheet href=/widget.css><p>widget<img src=/widget.png>"
    "<script>fetch('/widget-data').then(r => r.text())</script>"
    f"<iframe src=https://{SHOP}/deep-1></iframe>"
)
FRAMED = (
    "<!doctype html><meta charset=utf-8><p>served<script>Promise.all(['/sw/made-up', '/sw/passed-on']"
    ".map(u => fetch(u).then(r => r.text()))).then(() => parent.postMessage('served', '*'))</script>"
)
SERVICE_WORKER = b"""self.addEventListener('install', e => {
  self.skipWaiting();
  e.waitUntil(fetch('/for-sw').then(r => r.text()));
});
self.addEventListener('activate', e => e.waitUntil(clients.claim()));
self.addEventListener('fetch', e => {
  if (e.request.url.endsWith('/sw/made-up')) e.respondWith(new Response('made up here', {headers: {'X-Made': 'yes'}}));
  else if (e.request.url.endsWith('/sw/passed-on')) e.respondWith(fetch('/really'));
});"""


def page(text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(body=text.encode(), headers=headers)


def kind(media_type: str, body: bytes, *headers: tuple[str, str], status: int = 200) -> Answer:
    return Answer(status=status, body=body, media_type=media_type, headers=headers)


def deep(n: int, within: str | None = None) -> Answer:
    more = f"<iframe src=https://{within}/deep-{n + 1}></iframe>" if within else ""
    return page(DEEP % {"n": n, "more": more})


def ranged(request: Request) -> Answer:
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if asked is None:
        return kind("audio/wav", SOUND, ("Accept-Ranges", "bytes"))
    first = int(asked[1])
    last = min(int(asked[2] or len(SOUND) - 1), len(SOUND) - 1)
    told = ("Content-Range", f"bytes {first}-{last}/{len(SOUND)}")
    return kind("audio/wav", SOUND[first : last + 1], ("Accept-Ranges", "bytes"), told, status=206)


OPEN = (("Access-Control-Allow-Origin", "*"),)
ALLOWED = (*OPEN, ("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Allow-Headers", "content-type"))
SW_OK = ("Service-Worker-Allowed", "/")


def routes() -> Mapping[str, Mapping[str, Answer | Route]]:
    js = "text/javascript; charset=utf-8"
    return {
        SHOP: {
            "/start": redirect(302, "/second"),
            "/second": redirect(302, "/page"),
            "/page": page(PAGE % {"filler": "Many things are for sale here. " * 40},
                          ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"), ("X-Stall", "caf\xe9")),
            "/style.css": kind("text/css; charset=utf-8", STYLE),
            "/script.js": kind(js, SCRIPT),
            "/no-such-script.js": replace(page("<h1>No such script</h1>" + "x" * 900), status=404),
            "/no-such-style.css": replace(page("<h1>No such style</h1>"), status=404),
            "/picture.png": kind("image/png", PICTURE),
            "/moved-picture": redirect(302, "/moved-again"),
            "/moved-again": redirect(302, "/picture.png?moved=1"),
            "/no-such-picture.png": replace(page("<h1>No such picture</h1>"), status=404),
            "/lazy.png": kind("image/png", png(30)),
            "/inside": page(INSIDE),
            "/ahead": page("<!doctype html><p>Perhaps later"),
            "/guessed": page("<!doctype html><p>Perhaps never"),
            "/deep-1": deep(1, STRANGER),
            "/deep-3": deep(3, STRANGER),
            "/deep-data": kind("text/plain", b"deep"),
            "/inside-data": kind("application/json", b'{"inside": true}'),
            "/sound.wav": ranged,
            "/data.json": kind("application/json", brotli.compress(DATA), ("Content-Encoding", "br")),
            "/latin": kind("text/plain; charset=iso-8859-2", LATIN),
            "/missing-data": kind("application/json", b'{"error": "none"}', status=404),
            "/moved-data": redirect(302, "/moved-on"),
            "/moved-on": redirect(302, "/data.json?moved=1"),
            "/nothing": Answer(status=204, media_type=None),
            "/post": lambda asked: kind("text/plain", b"took %d" % len(asked.body)),
            "/upload": lambda asked: kind("text/plain", b"took %d" % len(asked.body)),
            "/head": kind("text/plain", b"never sent"),
            "/stream": replace(kind("application/octet-stream", STREAM), ending=Ending.CHUNKED),
            "/beacon": Answer(status=204, media_type=None),
            "/slow": replace(kind("text/plain", b"too late"), delay_s=1.5),
            "/worker.js": kind(js, b"fetch('/worker-data').then(r => r.text()).then(() => postMessage('x'))"),
            "/worker-data": kind("application/json", b'{"worker": true}'),
            "/shared-worker.js": kind(js, b"onconnect = e => fetch('/shared-data').then(r => r.text())"
                                          b".then(() => e.ports[0].postMessage('x'))"),
            "/shared-data": kind("application/json", b'{"shared": true}'),
            "/sw.js": kind(js, SERVICE_WORKER, SW_OK),
            "/for-sw": kind("text/plain", b"for the service worker"),
            "/really": kind("text/plain", b"really from the site"),
            "/sw/frame": page(FRAMED),
            "/favicon.ico": kind("image/png", png(16)),
        },
        COUSIN: {
            "/shared.json": kind("application/json", b'{"cousin": true}', *OPEN),
            "/put": lambda asked: Answer(status=204, media_type=None, headers=ALLOWED)
                    if asked.method == "OPTIONS" else kind("text/plain", b"put", *OPEN),
        },
        STRANGER: {
            "/widget": page(WIDGET),
            "/deep-2": deep(2, SHOP),
            "/deep-4": deep(4),
            "/deep-data": kind("text/plain", b"deep"),
            "/widget.css": kind("text/css", STYLE[:500]),
            "/widget.png": kind("image/png", png(20)),
            "/widget-data": kind("application/json", b'{"widget": true}'),
        },
    }  # fmt: skip


def hosts(account: Account) -> dict[str, Host]:
    def noted(route: Answer | Route) -> Route:
        def answer(request: Request) -> Answer:
            made = route(request) if callable(route) else route
            account.note(request, made, "https")
            return made

        return answer

    return {
        name: Host(name=name, routes={path: noted(route) for path, route in every.items()})
        for name, every in routes().items()
    }
