"""The pages of the bench: posts that lead through two redirects to listings, all bytes known beforehand.

::

    /post/N       drawn by scripts: 10 photographs, stylesheet, bundle, font, two times JSON, a POST answered 204
    /s/N          302 to /r/N?..., 301 to /listing/N
    /listing/N    30 photographs: 8 at once, 12 with loading=lazy, 10 by IntersectionObserver; reviews, and more of them
                  once they are scrolled to
    /__manifest.json   what each page consists of: path, kind, status, bytes and SHA-256, content codings removed
    /__stats           what was asked for so far

``<html data-ready="1">`` once a page is drawn. ``python -m bench.capturing.site PORT [POSTS]`` serves it, on loopback.
"""

import gzip
import hashlib
import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from bench.capturing.font import NAME, truetype
from bench.capturing.pictures import photograph

POSTS = 50
_BUILDERS = 2
_SPEECH = """linen candle honest haul favourite restock mug wool knit oak brass recycled limited colour morning coffee
studio weekend texture finish true soft warm arrived packed lovely quality price worth again small batch friend maker"""
_WORDS = _SPEECH.split()

_STYLE = f"""@font-face{{font-family:"{NAME}";src:url(/assets/blocks.ttf) format("truetype");font-display:swap}}
*{{box-sizing:border-box}} body{{margin:0;background:#f6f4f0;color:#222;font:16px/1.5 system-ui,sans-serif}}
nav{{position:sticky;top:0;padding:14px 28px;background:#fff;border-bottom:1px solid #ddd;z-index:4}}
nav b,.price{{font:700 22px "{NAME}",serif}} main{{max-width:940px;margin:auto;padding:18px}}
img{{display:block;width:100%;aspect-ratio:1;background:#e6e6e6}} .first{{max-width:760px}}
.three{{display:grid;grid-template-columns:repeat(3,1fr);gap:8px;margin:14px 0}}
.two{{display:grid;grid-template-columns:1fr 1fr;gap:10px}}
.five{{display:grid;grid-template-columns:repeat(5,1fr);gap:8px}}
.box{{margin:10px 0;padding:12px;background:#fff;border:1px solid #e2e2e2;border-radius:9px;box-shadow:0 2px 5px #0002}}
@keyframes beat{{50%{{opacity:.8}}}} .ad{{color:#a00;animation:beat 2s infinite}}
""" + "".join(f".s{n}{{margin:{n % 9}px;padding:{n % 7}px;color:#{n * 7919 % 4096:03x}}}\n" for n in range(930))

_DRAWING = """
const make = (tag, kind, text) => {
  const it = document.createElement(tag);
  if (kind) it.className = kind;
  if (text !== undefined) it.textContent = text;
  return it;
};
const ask = async (path, how) => {
  const answer = await fetch(path, how);
  return answer.status === 204 ? null : answer.json();
};
const tell = what => ask('/api/seen', {method: 'POST', headers: {'content-type': 'application/json'},
  body: JSON.stringify(what)});
const picture = path => { const it = new Image(); it.src = path; it.alt = 'photograph'; return it; };
const say = (where, head, text) => {
  const box = make('div', 'box');
  box.append(make('b', '', head), make('p', '', text));
  where.append(box);
};
const drawn = () => { document.documentElement.dataset.ready = '1'; };
async function post(n) {
  const main = document.querySelector('main'), it = await ask(`/api/post/${n}`);
  const box = make('div', 'box'), shop = make('a', '', 'Shop my look');
  shop.href = it.link;
  box.append(make('b', '', it.author), make('span', 'ad', ' Paid partnership '), make('p', '', it.text), shop);
  const first = make('div', 'first'), rest = make('div', 'three');
  first.append(picture(it.pictures[0]));
  rest.append(...it.pictures.slice(1).map(picture));
  main.append(box, first, rest);
  for (const each of (await ask(`/api/comments/${n}`)).comments) say(main, each.by, each.text);
  await tell({post: n});
  drawn();
}
async function reviews(n, page) {
  const where = document.querySelector('#reviews');
  for (const each of (await ask(`/api/reviews/${n}/${page}`)).reviews) say(where, each.by, each.text);
}
async function listing(n) {
  const watch = new IntersectionObserver(seen => {
    for (const {isIntersecting, target} of seen) if (isIntersecting) {
      watch.unobserve(target);
      if (target.dataset.later) target.src = target.dataset.later; else reviews(n, 2);
    }
  }, {rootMargin: '200px'});
  document.querySelectorAll('img[data-later]').forEach(each => watch.observe(each));
  await reviews(n, 1);
  watch.observe(document.querySelector('#end'));
  await tell({listing: n});
  drawn();
}
"""
_DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a path answers."""

    status: int = 200
    kind: str = "text/html; charset=utf-8"
    body: bytes = field(repr=False, default=b"")
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def packed(self) -> bytes | None:
        """The body for those who take gzip; None where it is sent as it is."""
        if self.status != 200 or len(self.body) < 300 or not self.kind.startswith(("text/", "application/json")):
            return None
        return gzip.compress(self.body, 6, mtime=0)


@dataclass(slots=True)
class Site:
    """All answers, and the truth about each page."""

    posts: int
    answers: dict[str, Answer] = field(default_factory=dict)
    pages: dict[str, dict[str, object]] = field(default_factory=dict)

    @classmethod
    def build(cls, posts: int = POSTS) -> "Site":
        """A tenth of a second for each post."""
        site = cls(posts)
        site.add("/assets/style.css", kind="text/css; charset=utf-8", body=_STYLE.encode())
        site.add("/assets/bundle.js", kind="text/javascript; charset=utf-8", body=_bundle().encode())
        site.add("/assets/draw.js", kind="text/javascript; charset=utf-8", body=_DRAWING.encode())
        site.add("/assets/blocks.ttf", kind="font/ttf", body=truetype())
        site.add("/api/seen", status=204, kind="")
        site.add("/robots.txt", kind="text/plain", body=b"User-agent: *\nAllow: /\n")
        names = [(f"/photo/p{n}-{k}.jpg", True) for n in range(posts) for k in range(10)]
        names += [(f"/photo/l{n}-{k}.jpg", False) for n in range(posts) for k in range(30)]
        with ThreadPoolExecutor(_BUILDERS) as pool:
            for (path, _), data in zip(names, pool.map(lambda it: photograph(it[0], large=it[1]), names), strict=True):
                site.add(path, kind="image/jpeg", body=data)
        for n in range(posts):
            site._add_post(n)
            site._add_listing(n)
        return site

    def add(self, path: str, **answer: object) -> None:
        self.answers[path] = Answer(**answer)  # type: ignore[arg-type]

    def _add_post(self, n: int) -> None:
        pictures = [f"/photo/p{n}-{k}.jpg" for k in range(10)]
        cookie = (("Set-Cookie", f"reader=post{n}; Path=/; HttpOnly"),)
        self.add(f"/post/{n}", body=_page(f"Post {n}", "Glow", f"post({n})"), headers=cookie)
        said = {"author": f"maker{n}", "text": f"{_said(f't{n}', 120)} #ad", "link": f"/s/{n}", "pictures": pictures}
        self._json(f"/api/post/{n}", said)
        self._json(f"/api/comments/{n}", {"comments": _voices(f"c{n}", 25, 18)})
        parts = [(f"/post/{n}", "document"), *_SHARED, (f"/api/post/{n}", "xhr"), (f"/api/comments/{n}", "xhr")]
        self._truth(f"/post/{n}", [*parts, ("/api/seen", "beacon"), *((each, "img") for each in pictures)])

    def _add_listing(self, n: int) -> None:
        between = f"/r/{n}?src=glow&by={quote(f'maker{n}')}"
        moved = f"<a href='{between}'>here</a>".encode()
        self.add(f"/s/{n}", status=302, body=moved, headers=(("Location", between),))
        cookie = ("Set-Cookie", f"by=maker{n}; Path=/")
        self.add(between, status=301, body=b"moved", headers=(("Location", f"/listing/{n}"), cookie))
        pictures = [f"/photo/l{n}-{k}.jpg" for k in range(30)]
        show = '<img src="{}" alt="view">'.format
        lazy = '<img src="{}" alt="view" loading="lazy" width="440" height="440">'.format
        later = f'<img src="{_DOT}" data-later="{{}}" alt="other">'.format
        inside = (
            f'<div class="three">{"".join(map(show, pictures[:8]))}</div><h1>Thing {n}</h1><p class="price">USD '
            f'{19 + n}.00</p><p>{_said(f"d{n}", 200)}</p><div class="two">{"".join(map(lazy, pictures[8:20]))}</div>'
            f'<div id="reviews"></div><h2>Others</h2><div class="five">{"".join(map(later, pictures[20:]))}</div>'
            '<div id="end" style="height:40px"></div>'
        )
        self.add(f"/listing/{n}", body=_page(f"Thing {n}", "Maker's shop", f"listing({n})", inside))
        for page in (1, 2):
            self._json(f"/api/reviews/{n}/{page}", {"reviews": _voices(f"r{n}.{page}", 20, 30)})
        parts = [(f"/s/{n}", "redirect"), (between, "redirect"), (f"/listing/{n}", "document"), *_SHARED]
        parts += [(f"/api/reviews/{n}/1", "xhr"), (f"/api/reviews/{n}/2", "xhr-lazy"), ("/api/seen", "beacon")]
        kinds = ["img"] * 8 + ["img-lazy"] * 12 + ["img-io"] * 10
        self._truth(f"/s/{n}", [*parts, *zip(pictures, kinds, strict=True)])

    def _json(self, path: str, value: object) -> None:
        self.add(path, kind="application/json", body=json.dumps(value).encode())

    def _truth(self, path: str, parts: list[tuple[str, str]]) -> None:
        self.pages[path] = {"resources": [self._fact(path, kind) for path, kind in parts]}

    def _fact(self, path: str, kind: str) -> dict[str, object]:
        answer = self.answers[path]
        digest = hashlib.sha256(answer.body).hexdigest()
        return {"path": path, "kind": kind, "status": answer.status, "bytes": len(answer.body), "sha256": digest}


_SHARED = (
    ("/assets/style.css", "style"),
    ("/assets/bundle.js", "script"),
    ("/assets/draw.js", "script"),
    ("/assets/blocks.ttf", "font"),
)


def _page(title: str, brand: str, draw: str, inside: str = "") -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<link rel="stylesheet" href="/assets/style.css"><link rel="icon" href="data:,">'
        '<script src="/assets/bundle.js"></script><script src="/assets/draw.js"></script></head>'
        f"<body><nav><b>{brand}</b></nav><main>{inside}</main><script>{draw}</script></body></html>"
    ).encode()


def _bundle() -> str:
    """Some 160 KB that are read, compiled and run."""
    parts = ["(() => { const parts = {};"]
    parts += [
        f"parts.p{n} = (a, b) => {{ let t = {n}; for (let k = 0; k < b; k++) t = (t * 31 + k + a) % {64000 - n}; "
        f"return {{at: {n}, is: t, of: '{_WORDS[n % len(_WORDS)]}'}}; }};"
        for n in range(1400)
    ]
    parts.append(
        "let sum = 0; for (let k = 0; k < 1400; k++) sum += parts['p' + k](k, 40).is; window.sum = sum; })();\n"
    )
    return "\n".join(parts)


def _said(seed: str, words: int) -> str:
    draw = random.Random(seed)  # noqa: S311  # words
    return " ".join(draw.choices(_WORDS, k=words)).capitalize() + "."


def _voices(seed: str, count: int, words: int) -> list[dict[str, str]]:
    return [{"by": f"reader{seed}-{n}", "text": _said(f"{seed}.{n}", words)} for n in range(count)]


@contextmanager
def serving(site: Site, port: int = 0) -> Iterator[str]:
    """The address; in threads of this process."""
    asked: Counter[str] = Counter()
    packed = {path: answer.packed for path, answer in site.answers.items()}
    manifest = Answer(kind="application/json", body=json.dumps({"pages": site.pages}).encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if self.path == "/__stats":
                body = json.dumps({"requests": asked.total(), "paths": asked}).encode()
                self._send(Answer(kind="application/json", body=body), body, coded=False)
                return
            answer = manifest if self.path == "/__manifest.json" else site.answers.get(self.path)
            if answer is None:
                answer = Answer(status=404, kind="text/plain", body=b"there is no such page")
            if not self.path.startswith("/__"):
                asked[self.path] += 1
            small = packed.get(self.path) if "gzip" in self.headers.get("Accept-Encoding", "") else None
            self._send(answer, answer.body if small is None else small, coded=small is not None)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.do_GET()

        def _send(self, answer: Answer, body: bytes, *, coded: bool) -> None:
            self.send_response(answer.status)
            if answer.kind:
                self.send_header("Content-Type", answer.kind)
                self.send_header("Content-Length", str(len(body)))
            if coded:
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Vary", "Accept-Encoding")
            kept = answer.kind.startswith(("image/", "font/", "text/css", "text/javascript"))
            self.send_header("Cache-Control", "public, max-age=600" if kept else "no-cache")
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
            if answer.kind:
                self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as it is called
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def main() -> None:
    port = int(sys.argv[1])
    with serving(Site.build(int(sys.argv[2]) if len(sys.argv) > 2 else POSTS), port) as address:
        print(address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
