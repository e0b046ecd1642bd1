"""The story of the vehicles: one browser, every way that a page has to make it connect somewhere."""

import asyncio
import base64
import contextlib
import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_der_x509_certificate
from playwright.async_api import Browser, BrowserContext, Error, async_playwright

from crawlers.browser import introduced
from crawlers.egress import Egress, Limits, Policy, Resolve
from crawlers.launching import Launch, find_browser, plan
from crawlers.resolving import Answer, NameUnknown
from tests.crawlers.anywhere import ROOT, Wire, listening, reset_on_close, wire
from tests.crawlers.forbidden import EVERYWHERE
from tests.crawlers.test_egress import Ticking, certificate

SITE, SECURE = 7001, 7002
"""Where the page is served that lays the traps."""
NAVIGATIONS = {
    "direct": None,
    "redirect-302": "/302",
    "redirect-307-post": "/307",
    "meta-refresh": '<meta http-equiv=refresh content="0;url={u}">',
    "header-refresh": "/refresh",
    "script-jump": "<script>location.href='{u}'</script>",
    "form-post": "<form method=post action='{u}'>"
    "<input name=a value=b></form><script>document.forms[0].submit()</script>",
    "anchor-click": "<a href='{u}'>x</a><script>document.querySelector('a').click()</script>",
    "anchor-download": "<a download href='{u}'>x</a><script>document.querySelector('a').click()</script>",
    "favicon": "<link rel=icon href='{u}'>",
    "frame-redirect": "<iframe src='/302?{v}'></iframe>",
}
PARTS = {
    "iframe": "<iframe src='{u}'></iframe>",
    "object": "<object data='{u}'></object>",
    "embed": "<embed src='{u}'>",
    "img": "<img src='{u}'>",
    "img-redirect": "<img src='/302?{v}'>",
    "picture-srcset": "<img srcset='{u} 1x, {u}2 2x'>",
    "script": "<script src='{u}' async></script>",
    "module": "<script type=module src='{u}'></script>",
    "dynamic-import": "<script>import('{u}').catch(() => 0)</script>",
    "stylesheet": "<link rel=stylesheet href='{u}'>",
    "css-import": "<style>@import '{u}';</style>",
    "css-background": "<style>#bg{{background:url({u});width:9px;height:9px}}</style><div id=bg></div>",
    "css-font": "<style>@font-face{{font-family:trap;src:url({u})}}</style><p style='font-family:trap'>trap</p>",
    "video": "<video src='{u}' autoplay muted></video>",
    "audio": "<audio src='{u}' preload=auto></audio>",
    "track": "<video muted crossorigin><track default src='{u}' kind=captions></video>"
    "<script>document.querySelectorAll('track').forEach(t => t.track.mode = 'showing')</script>",
    "svg-image": "<svg width=9 height=9><image href='{u}' width=9 height=9 /></svg>",
    "manifest": "<link rel=manifest href='{u}'>",
    "link-preload": "<link rel=preload as=image href='{u}'>",
    "link-modulepreload": "<link rel=modulepreload href='{u}'>",
    "link-prefetch": "<link rel=prefetch href='{u}'>",
    "link-preconnect": "<link rel=preconnect href='{u}'>",
    "link-dns-prefetch": "<link rel=dns-prefetch href='{u}'>",
    "fetch": "<script>fetch('{u}', {{mode: 'no-cors'}}).catch(() => 0)</script>",
    "fetch-keepalive": "<script>fetch("
    "'{u}', {{mode: 'no-cors', keepalive: true, method: 'POST'}}).catch(() => 0)</script>",
    "xhr": "<script>(x => {{x.open('GET', '{u}'); x.send()}})(new XMLHttpRequest())</script>",
    "beacon": "<script>navigator.sendBeacon('{u}', 'x')</script>",
    "ping": "<a id=ping ping='{u}' href='#x'>x</a><script>document.getElementById('ping').click()</script>",
    "eventsource": "<script>new EventSource('{u}')</script>",
    "websocket": "<script>new WebSocket('{w}')</script>",
    "worker-fetch": "<script>new Worker("
    "URL.createObjectURL(new Blob([\"fetch('{u}',{{mode:'no-cors'}}).catch(()=>0)\"])))</script>",
    "worker-import": "<script>new Worker(URL.createObjectURL(new Blob([\"importScripts('{u}')\"])))</script>",
    "shared-worker": "<script>new SharedWorker("
    "URL.createObjectURL(new Blob([\"fetch('{u}',{{mode:'no-cors'}})\"])))</script>",
    "form-in-frame": "<iframe name=f1></iframe><form target=f1 method=post action='{u}'></form>"
    "<script>document.forms[document.forms.length - 1].submit()</script>",
    "popup": "<script>window.open('{u}')</script>",
    "frame-refresh": "<iframe srcdoc=\"<meta http-equiv=refresh content='0;url={u}'>\"></iframe>",
    "number-host": "<img src='http://{n}/x'>",
    "csp-report": "<iframe src='/csp?{v}'></iframe>",
}
SECURE_PARTS = {
    "service-worker": "<script>navigator.serviceWorker.register('/sw.js?{v}')</script>",
    "secure-websocket": "<script>new WebSocket('{ws}')</script>",
    "secure-fetch": "<script>fetch('{us}', {{mode: 'no-cors'}}).catch(() => 0)</script>",
    "secure-image": "<img src='{us}'>",
    "speculation-rules": '<script type=speculationrules>{{"prefetch":[{{"urls":["{us}"],"eagerness":"immediate"}}],'
    '"prerender":[{{"urls":["{us}"],"eagerness":"immediate"}}]}}</script>',
    "webtransport": "<script>new WebTransport('{us}').ready.catch(() => 0)</script>",
}
RTC = {
    "stun": "stun:{a}:3478",
    "stun-name": "stun:{h}:3478",
    "turn-udp": "turn:{a}:3478?transport=udp",
    "turn-tcp": "turn:{a}:3478?transport=tcp",
}
NEVER_SENT = frozenset(
    {"manifest", "link-preconnect", "link-dns-prefetch", "speculation-rules", "webtransport", *RTC} - {"turn-tcp"}
)
"""What this browser does not do behind a proxy, hole or not: shown is only that nothing leaves on any road."""
_ALL = [*NAVIGATIONS, *PARTS, *SECURE_PARTS, *RTC]
ADDRESS = {vehicle: f"10.66.0.{n}" for n, vehicle in enumerate(_ALL, 1)}
_TRAPS: Mapping[str, Mapping[str, str]] = {"/parts": PARTS, "/secure": SECURE_PARTS, "/rtc": RTC}
_UDP_FLAGS = ("--disable-quic", "--webrtc-ip-handling-policy", "--force-webrtc-ip-handling-policy")


def _filled(vehicle: str, markup: str) -> str:
    host, address = f"{vehicle}.trap.example", ADDRESS[vehicle]
    number = int.from_bytes(bytes(int(part) for part in address.split(".")), "big")
    return markup.format(
        u=f"http://{host}/x", us=f"https://{host}/x", w=f"ws://{host}/x", ws=f"wss://{host}/x", v=vehicle, n=number
    )


def _rtc() -> str:
    servers = ",".join(
        "{{urls:'{}',username:'u',credential:'p'}}".format(url.format(a=ADDRESS[vehicle], h=f"{vehicle}.trap.example"))
        .replace("{{", "{")
        .replace("}}", "}")
        for vehicle, url in RTC.items()
    )
    return (
        f"<script>const c = new RTCPeerConnection({{iceServers: [{servers}], iceCandidatePoolSize: 2}});"
        "c.createDataChannel('x'); c.createOffer().then(o => c.setLocalDescription(o))</script>"
    )


def _page(target: str) -> tuple[str, str]:
    """Status and headers, and the body, of what the page's own site serves."""
    path, _, vehicle = target.partition("?")
    to = f"http://{vehicle}.trap.example/x"
    if path in {"/302", "/307"}:
        return f"{path[1:]} Elsewhere\r\nLocation: {to}", ""
    if path == "/refresh":
        return f"200 OK\r\nContent-Type: text/html\r\nRefresh: 0;url={to}", "going"
    if path == "/csp":
        return (
            f"200 OK\r\nContent-Type: text/html\r\nContent-Security-Policy: img-src 'none'; report-uri {to}",
            "<img src=/blocked>",
        )
    if path == "/sw.js":
        secure = to.replace("http:", "https:")
        work = f"fetch('{secure}',{{mode:'no-cors'}}).catch(()=>0)"
        return "200 OK\r\nContent-Type: text/javascript", f"oninstall = e => e.waitUntil({work})"
    pages = {
        "/parts": "".join(_filled(*each) for each in PARTS.items()),
        "/secure": "".join(_filled(*each) for each in SECURE_PARTS.items()),
        "/rtc": _rtc(),
    }
    body = pages.get(path) or (_filled(vehicle, NAVIGATIONS[vehicle] or "") if vehicle in NAVIGATIONS else "")
    return '200 OK\r\nContent-Type: text/html\r\nAlt-Svc: h3=":443"; ma=86400', f"<!doctype html><title>t</title>{body}"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, EOFError):
        head = await reader.readuntil(b"\r\n\r\n")
        status, body = _page(head.split()[1].decode())
        data = body.encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        await writer.drain()
    writer.close()


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reset_on_close(writer.get_extra_info("socket"))
    writer.transport.abort()


async def _dns(host: str) -> Answer:
    vehicle = host.removesuffix(".trap.example")
    if vehicle not in ADDRESS:
        raise NameUnknown(host)
    return Answer(addresses=(ADDRESS[vehicle],), resolved_by="dns")


def _spki(der: bytes) -> str:
    key = load_der_x509_certificate(der).public_key()
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


async def story(folder: Path) -> dict[str, Any]:
    tls, der = certificate(folder, "secure.example")
    trust = _spki(der)
    found: dict[str, Any] = {}
    async with wire() as seen, async_playwright() as playwright:
        servers = [
            await asyncio.start_server(_serve, "127.0.0.1", SITE),
            await asyncio.start_server(_serve, "127.0.0.1", SECURE, ssl=tls),
            await asyncio.start_server(_hang_up, sock=listening(80)),
            await asyncio.start_server(_hang_up, sock=listening(443)),
            await asyncio.start_server(_hang_up, sock=listening(3478)),
        ]
        for name, hole, flags in (("shut", False, True), ("open", True, True), ("bare", False, False)):
            egress = Egress(
                tuple(
                    Resolve.parse(each)
                    for each in (f"page.example:80:127.0.0.1:{SITE}", f"secure.example:443:127.0.0.1:{SECURE}")
                ),
                clock=Ticking(),
                dns=_dns,
                policy=Policy(allowed=EVERYWHERE if hole else ()),
                limits=Limits(connect_s=2),
            )
            await egress.start()
            seen.ours = {SITE, SECURE, int(egress.url.rpartition(":")[2])}
            seen.seen.clear()
            launch = _launch(folder, egress, trust)
            if not flags:  # the attack is there: without our flags the browser does send
                kept = [each for each in launch.options["args"] if not each.startswith(_UDP_FLAGS)]
                launch = replace(launch, options={**launch.options, "args": kept})
            browser = await playwright.chromium.launch(**launch.options)
            await _visit(browser, egress, partial(_tried, seen, egress, hole=hole or not flags), rtc_only=not flags)
            await browser.close()
            found[name] = _told(seen, egress)
            await egress.stop()
        for server in servers:
            server.close()
    return found


def _launch(folder: Path, egress: Egress, trust: str) -> Launch:
    for each in ("keys", "cache"):
        (folder / each).mkdir(exist_ok=True)
    return plan(
        find_browser(os.environ, checkout=ROOT),
        keys=folder / "keys",
        cache=folder / "cache",
        # What the person running us has set for other programs must change nothing.
        env={**os.environ, "HTTP_PROXY": "http://10.67.0.1:80", "ALL_PROXY": "http://10.67.0.2:80"},
        egress_url=egress.url,
        trust_spki=(trust,),
    )


def _tried(seen: Wire, egress: Egress, vehicle: str, *, hole: bool) -> bool:
    """Whether the page's attempt is there: on the wire, or among what was turned down."""
    return seen.sent(ADDRESS[vehicle]) > 0 if hole else vehicle in _refused(egress)


async def _visit(browser: Browser, egress: Egress, tried: Callable[[str], bool], *, rtc_only: bool) -> None:
    admitted = egress.admit("v")
    context = await browser.new_context(
        ignore_https_errors=True,
        proxy={"server": egress.url},
        accept_downloads=True,
    )
    await introduced(await context.new_page(), admitted)
    pages = ["http://page.example/rtc"]
    if not rtc_only:
        pages += ["http://page.example/parts", "https://secure.example/secure"]
        for vehicle, markup in NAVIGATIONS.items():
            there = "" if markup is None or not markup.startswith("/") else markup
            direct = f"http://{vehicle}.trap.example/x"
            pages.append(direct if markup is None else f"http://page.example{there or '/go'}?{vehicle}")
    for at in range(0, len(pages), 4):
        await asyncio.gather(*(_open(context, url, tried) for url in pages[at : at + 4]))
    await context.close()


def _laid_out(url: str) -> set[str]:
    """The vehicles whose attempts this page makes and that are to be seen, one way or the other."""
    there = _TRAPS.get(urlsplit(url).path)
    alone = {urlsplit(url).query or str(urlsplit(url).hostname).removesuffix(".trap.example")}
    return set(alone if there is None else there) - NEVER_SENT


async def _open(context: BrowserContext, url: str, tried: Callable[[str], bool]) -> None:
    tab = await context.new_page()
    for left in (2, 1, 0):
        try:
            await tab.goto(url, wait_until="commit", timeout=30_000)
            break
        except Error as error:  # a page that is refused is what is hoped for; one that lays the traps has to be there
            if urlsplit(url).path not in _TRAPS:
                break
            print(f"{url}: {error.message.splitlines()[0]}", file=sys.stderr)
            if not left:
                raise
    vehicles = _laid_out(url)
    await asyncio.sleep(4 if len(vehicles) != 1 else 1.5)  # for what must not be tried, and would be
    for _ in range(200):  # a loaded machine takes longer to try what it does try
        if all(tried(each) for each in vehicles):
            break
        await asyncio.sleep(0.1)
    with contextlib.suppress(Error):
        await tab.close()


def _refused(egress: Egress) -> set[str]:
    report = egress.report("v")
    hosts = {address: vehicle for vehicle, address in ADDRESS.items()}
    return {hosts.get(each.host, each.host.removesuffix(".trap.example")) for each in report if each.error == "policy"}


def _told(seen: Wire, egress: Egress) -> dict[str, Any]:
    counted = Counter(f"{protocol} {address} {port}" for protocol, address, port in seen.seen)
    return {
        "sent": {vehicle: seen.sent(address) for vehicle, address in ADDRESS.items()},
        "all": dict(counted),
        "udp": sum(each[0] == "udp" for each in seen.seen),
        "refused": sorted(_refused(egress)),
        "turned_away": egress.turned_away,
    }
