"""A hub of sixty buttons, on a network of its own: one promotion, fifty-nine candidates, the right one followed."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.command import run

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]

BUTTONS = 60
POST = """<html lang=en><head><title>Ana</title><meta property="og:type" content="article"></head><body><main><article>
<h1>Ana</h1><p>my Cartier band, I never take it off. It is number 44 on
<a href="http://ways.test-links.com/ana">ways.test-links.com/ana</a></p></article></main></body></html>"""


def page(host: str, path: str) -> str | None:
    if host.startswith("notes."):
        return POST if path == "/p/1" else None
    if host.startswith("ways."):
        item = '<li><a href="http://stall.test-goods.com/item/{0}"><span>{0}</span><div>thing of mine</div></a></li>'
        return (
            f"<html><body><h1>Ana</h1><ul>{''.join(item.format(n) for n in range(1, BUTTONS + 1))}</ul></body></html>"
        )
    number = path.rpartition("/")[2]
    thing = {
        "@context": "https://schema.org", "@type": "Product", "name": f"screw band no {number}", "sku": number,
        "offers": {"@type": "Offer", "price": "9.90", "priceCurrency": "USD"},
    }  # fmt: skip
    said = f"<h1>screw band no {number}</h1><p>$9.90</p><button>Add to cart</button>"
    return f'<html><body><script type="application/ld+json">{json.dumps(thing)}</script>{said}</body></html>'


class _Network(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        told = page(self.headers.get("Host", ""), self.path)
        data = (told or "no").encode()
        self.send_response(200 if told else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base's word
        """Nobody reads it."""


@pytest.fixture
def resolve() -> Iterator[list[str]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Network)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hosts = ("notes.test-social.com", "ways.test-links.com", "stall.test-goods.com")
    try:
        yield [word for each in hosts for word in ("--resolve", f"{each}:80:127.0.0.1:{server.server_port}")]
    finally:
        server.shutdown()
        server.server_close()


def test_one_promotion_and_fifty_nine_candidates(resolve: list[str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert run("case", "new", "ana", "--term", "Cartier", home=home).code == 0
    captured = run(
        "capture", "http://notes.test-social.com/p/1", "--case", "ana", "--max-links", "3", "--delay", "0",
        "--per-host", "4", "--no-control", "--look-again", "0", "--authority", "none", "--json", *resolve,
        home=home, timeout_s=400,
    )  # fmt: skip
    assert captured.code == 0, captured.err
    assert "http://stall.test-goods.com/item/44" in {each["requested_url"] for each in captured.captures}
    found = run("findings", "ana", "--json", "--candidates", home=home).document
    (promotion,) = found["promotions"]
    assert promotion["listing"]["fields"]["title"] == "screw band no 44"
    assert [each["by"] for each in promotion["edges"]] == ["in_text", "number"]
    assert len(found["candidates"]) == BUTTONS - 1
    assert sum(each["capture"] is not None for each in found["candidates"]) == 2
    assert {each["about"] for each in promotion["observations"]} == {"term_absent"}
