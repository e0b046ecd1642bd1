"""The make-believe network does what its name says: what it serves, to whom, and how it misbehaves."""

import base64
import contextlib
import hashlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from tests.site import certificate, pictures, posts
from tests.site.client import connect, fetch
from tests.site.host import Door
from tests.site.server import Site

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)


def text(site: Site, name: str) -> str:
    return fetch(site, site.url(name))[1].decode()


def spki(site: Site, url: str) -> tuple[str, x509.Certificate]:
    with contextlib.closing(connect(site, url)) as connection:
        assert isinstance(connection.sock, ssl.SSLSocket)
        der = connection.sock.getpeercert(binary_form=True)
    assert der is not None
    found = x509.load_der_x509_certificate(der)
    public = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode(), found


def test_every_rule_leads_to_a_loopback_port_that_needs_no_root(site: Site) -> None:
    assert len(site.resolve) > 30
    for rule in site.resolve:
        host, port, address, port2 = rule.split(":")
        assert host.endswith(".example"), "RFC 2606: names that are nobody's"
        assert port in {"80", "443"}
        assert address == "127.0.0.1"
        assert int(port2) > 1024


STATUSES = {
    "removed_post": 404, "login_wall": 302, "shortener": 302, "removed_listing_404": 404, "server_error": 500,
    "rate_limited": 429, "geo_block": 451, "blog_affiliate": 302, "blog_pretty": 307, "spa_short": 301,
    "redirect_loop": 302, "redirect_self": 302, "redirect_long": 302, "redirect_nowhere": 302, "redirect_scheme": 302,
    "no_content": 204,
}  # fmt: skip
UNANSWERED = frozenset(
    ("never_finishing", "slow_first_byte", "cut", "empty_answer", "tls_garbage", "silent", "refused", "unresolved")
)


@pytest.mark.parametrize("name", sorted(Site().urls.keys() - UNANSWERED))
def test_every_name_answers_as_it_says(site: Site, name: str) -> None:
    assert fetch(site, site.url(name))[0].status == STATUSES.get(name, 200)


def test_the_promotion_crosses_five_registrable_domains(site: Site) -> None:
    way = [site.url("post"), site.url("hub"), site.url("shortener")]
    statuses = []
    while location := fetch(site, way[-1])[0].getheader("Location"):
        statuses.append(fetch(site, way[-1])[0].status)
        way.append(location)
    assert statuses == [302, 301]
    assert way[-1] == site.url("listing")
    domains = [".".join((urlsplit(url).hostname or "").split(".")[-2:]) for url in way]
    assert len(set(domains)) == len(domains) == 5


def test_the_post_says_link_in_bio_and_links_nowhere_itself(site: Site) -> None:
    caption = text(site, "post").partition('class="caption"')[2].partition("</div>")[0]
    assert "Love bracelet" in caption
    assert "link in bio" in caption
    assert "https://" not in caption
    assert f'href="{posts.HUB}"' in text(site, "profile")
    assert f'href="{posts.SHORT}"' in text(site, "hub")


def test_the_listing_names_no_brand(site: Site) -> None:
    listing = text(site, "listing")
    product = json.loads(listing.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert product["name"].startswith("Screw bracelet for women")
    assert "brand" not in product
    assert "cartier" not in listing.lower()
    assert urlsplit(product["offers"]["seller"]["url"]).path in listing


def test_authors_are_named_in_three_ways(site: Site) -> None:
    for post in posts.POSTS:
        page = text(site, post.name)
        ways = {
            posts.Credit.JSON_LD: '"author": {"@type": "Person"' in page,
            posts.Credit.REL: 'rel="author"' in page,
            posts.Credit.BYLINE: 'class="byline"' in page,
        }
        assert [way for way, there in ways.items() if there] == [post.credit]
    assert {post.credit for post in posts.POSTS} == set(posts.Credit)
    assert "ld+json" not in text(site, "profile")


def test_chinese_arabic_and_emoji_arrive_whole(site: Site) -> None:
    assert "这款螺丝手镯真的绝了 😍" in text(site, "post_chinese")
    assert "وصلتني إسورة الحب 💛" in text(site, "post_arabic")
    assert 'dir="rtl"' in text(site, "post_arabic")


def test_robots_differ_from_host_to_host(site: Site) -> None:
    answers = {name: fetch(site, f"https://{name}/robots.txt") for name in site.hosts if _polite(site, name)}
    assert answers["go.redirly.example"][0].status == 500
    assert answers["lnkgarden.example"][0].status == 404
    rules = {name: Protego.parse(body.decode()) for name, (answer, body) in answers.items() if answer.status == 200}
    allowed = {
        name: [each.can_fetch("/x", agent) for agent in ("Counterproof", "Mozilla")] for name, each in rules.items()
    }
    assert allowed == {
        "www.glimpsegram.example": [True, True],
        "www.bazaroo.example": [False, False],
        "hopp.example": [False, True],
        "www.softlinenstories.example": [True, True],
    }


def _polite(site: Site, name: str) -> bool:
    return site.hosts[name].door is Door.HTTPS


def test_good_hosts_share_the_trusted_key_and_the_bad_one_has_another(site: Site) -> None:
    trusted, good = spki(site, site.url("post"))
    assert [trusted] == site.trust_spki
    names = good.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "www.bazaroo.example" in names.get_values_for_type(x509.DNSName)
    other, bad = spki(site, site.url("bad_certificate"))
    assert other not in site.trust_spki
    assert bad.not_valid_after_utc < datetime.now(UTC)
    names = bad.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "www.crumblyshop.example" not in names.get_values_for_type(x509.DNSName)


def test_a_certificate_is_made_for_the_time_it_is_told() -> None:
    good = x509.load_pem_x509_certificate(certificate.good(["a.example"], at=AT).certificate_pem)
    bad = x509.load_pem_x509_certificate(certificate.bad(at=AT).certificate_pem)
    assert good.not_valid_before_utc < AT < good.not_valid_after_utc
    assert bad.not_valid_after_utc < AT


def test_plain_http_sends_good_hosts_to_https_and_serves_the_plain_one(site: Site) -> None:
    answer, _ = fetch(site, site.url("profile").replace("https:", "http:"))
    assert (answer.status, answer.getheader("Location")) == (301, site.url("profile"))
    assert fetch(site, site.url("plain_http"))[0].status == 200


def test_a_name_that_is_not_served_here_is_misdirected(site: Site) -> None:
    with contextlib.closing(connect(site, site.url("hub"))) as connection:
        connection.request("GET", "/", headers={"Host": "www.somebody-else.example"})
        assert connection.getresponse().status == 421


def test_no_path_leaves_a_hosts_folder(site: Site) -> None:
    assert (ROOT / "tests/site/content/templates/frame.html").is_file()
    answer, _ = fetch(site, "https://lnkgarden.example/../templates/frame.html")
    assert answer.status == 404


def test_one_connection_serves_many_requests(site: Site) -> None:
    with contextlib.closing(connect(site, site.url("hub"))) as connection:
        for _ in range(3):
            connection.request("GET", "/mirabelle", headers={"Host": "lnkgarden.example"})
            assert connection.getresponse().read()
            assert connection.sock is not None


def test_the_log_tells_who_asked_for_what_and_when() -> None:
    with Site(clock=lambda: AT) as site:
        fetch(site, site.url("leaving"), agent="Somebody/1.0")
        fetch(site, site.url("removed_post"))
        first, second = site.log
    assert first.host == "l.glimpsegram.example"
    assert first.path.startswith("/?u=https%3A%2F%2Fwww.bazaroo.example")
    assert (first.at, first.status, first.user_agent, first.method) == (AT, 200, "Somebody/1.0", "GET")
    assert second.status == 404
    assert site.seen("www.glimpsegram.example") == [second]


def test_interstitials_carry_their_target_once_as_a_link_and_once_in_a_script(site: Site) -> None:
    assert f'href="{site.url("listing")}"' in text(site, "leaving")
    out = text(site, "hub_leaving")
    assert f'window.location.href = "{site.url("seller")}"' in out
    assert f'href="{site.url("seller")}"' not in out


def test_closing_waits_for_no_client() -> None:
    with Site() as site:
        dripping = connect(site, site.url("never_finishing"))
        dripping.request("GET", "/never", headers={"Host": "www.misbehave.example"})
        dripping.getresponse().read1(16)
        idle = connect(site, site.url("hub"))
        port = int(site.resolve[0].rpartition(":")[2])
        began = time.monotonic()
    assert time.monotonic() - began < 3
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
        pass
    dripping.close()
    idle.close()


def test_the_others_share_nothing_with_the_first(site: Site) -> None:
    assert fetch(site, site.url("table_page"))[0].getheader("Content-Type") == "text/html"
    assert "Biżuteria u Hani" in fetch(site, site.url("table_page"))[1].decode("iso-8859-2")
    assert "śrubkami" in fetch(site, site.url("table_listing"))[1].decode("cp1250")
    assert "<a " not in text(site, "spa_hub")
    assert "wordpress" in text(site, "blog_post").lower()


@given(st.data(), st.integers(1, 12), st.integers(1, 12))
def test_a_png_holds_what_was_drawn(data: st.DataObject, width: int, height: int) -> None:
    pixels = data.draw(st.binary(min_size=width * height * 3, max_size=width * height * 3))
    assert pictures.decode(pictures.encode(width, height, pixels)) == (width, height, pixels)


def test_the_pictures_are_those_that_the_arithmetic_draws() -> None:
    kept = {name: (pictures.FOLDER / f"{name}.png").read_bytes() for name in pictures.PICTURES}
    assert len(set(kept.values())) == len(kept)
    assert pictures.decode(kept["swatch"]) == pictures.decode(pictures.swatch())


def test_as_a_command_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "tests.site", "--state-file", str(state), "--seconds", "60"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        until = datetime.now(UTC) + timedelta(seconds=30)
        while not state.exists() and process.poll() is None and datetime.now(UTC) < until:
            time.sleep(0.05)
        told = json.loads(state.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert told["urls"]["post"] == Site().url("post")
    assert len(told["resolve"]) == len(set(told["resolve"]))
    assert len(base64.b64decode(told["trust_spki"][0])) == 32
    assert not state.exists()
