"""How right the readers are on saved pages that somebody labelled: a table by site, and every miss.

``python -m bench.platforms DIR``, where DIR holds ``index.jsonl`` and the pages: each line names a ``file``, its
``site`` and ``kind``, and what a careful person read there (``expected``). Leaves with 1 where a limit of the project
is not met.
"""

import argparse
import gzip
import json
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from crawlers.address import dedupe_key
from crawlers.registry import read
from crawlers.saved import Saved

CONTAINED = frozenset({"caption", "bio", "title"})
AMOUNTS = frozenset({"price", "price_max"})
ABOUT_THE_PAGE = frozenset({"gated", "gate", "http_status", "shell", "not_a_listing", "items"})
WEB_ARCHIVES = frozenset({"warc", "wacz"})
LEAST_RIGHT = 0.95
MOST_INVENTED = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One field of one page. ``right`` is None where neither page nor reading has it."""

    site: str
    file: str
    name: str
    expected: Any
    got: Any
    right: bool

    @property
    def invented(self) -> bool:
        """A value where the page carries none."""
        return self.expected is None and not self.right


def same(name: str, expected: Any, got: Any, *, kind: str) -> bool:
    """Whether a reading's value is what the page says; None is "the page does not carry it"."""
    if expected is None or got is None:
        return expected is None and got in (None, "")
    if name == "outbound_links":
        wanted, found = ({_link(each) for each in links} for links in (expected, got))
        return wanted <= found if kind == "blog" else wanted == found
    if name in AMOUNTS:
        try:
            return Decimal(str(expected)) == Decimal(str(got))
        except InvalidOperation:
            return False
    if name == "published":
        return _same_time(str(expected), str(got))
    if name in CONTAINED:
        return _squeezed(str(expected)) in _squeezed(str(got))
    return _squeezed(str(expected)).lstrip("@") == _squeezed(str(got)).lstrip("@")


def _squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def _link(url: Any) -> str:
    address = str(url.get("url") if isinstance(url, dict) else url)
    return dedupe_key(address) if address.startswith("http") else address


def _same_time(expected: str, got: str) -> bool:
    if len(expected) == len("2020-01-01"):
        return got[: len(expected)] == expected
    try:
        times = [datetime.fromisoformat(each) for each in (expected, got)]
    except ValueError:
        return False
    return len({each.astimezone(UTC).replace(microsecond=0) for each in times if each.tzinfo}) == 1 and all(
        each.tzinfo for each in times
    )


def judge(page: Mapping[str, Any], reading: Mapping[str, Any]) -> Iterator[Judged]:
    """Every judged thing of one page."""
    expected, fields = page["expected"], reading["fields"]

    def told(name: str, wanted: Any, got: Any, *, right: bool) -> Judged:
        return Judged(site=page["site"], file=page["file"], name=name, expected=wanted, got=got, right=right)

    if "gated" in expected:
        walled = reading["wall"] is not None
        yield told("gated", expected["gated"], reading["wall"], right=walled == expected["gated"])
    if expected.get("not_a_listing"):
        yield told("not_a_listing", "no listing", reading["kind"], right=reading["kind"] != "listing")
    if page["kind"] != "other" and not expected.get("shell"):
        kind = page["kind"].replace("-", "_")
        yield told("kind", kind, reading["kind"], right=reading["kind"] == kind)
    for name, wanted in expected.items():
        if name in ABOUT_THE_PAGE or name.endswith("_alternatives"):
            continue
        got = fields.get(name)
        also = expected.get(f"{name}_alternatives") or []
        right = any(same(name, each, got, kind=page["site"]) for each in (wanted, *also))
        yield told(name, wanted, got, right=right)
    for n, item in enumerate(expected.get("items") or []):
        given = fields.get("items") or []
        for name, wanted in item.items():
            got = given[n].get(name) if n < len(given) else None
            yield told(f"items.{n}.{name}", wanted, got, right=same(name, wanted, got, kind=page["site"]))


def pages(folder: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines():
        page = json.loads(line)
        if page["kind"] in WEB_ARCHIVES:
            continue
        data = (folder / page["file"]).read_bytes()
        yield page, gzip.decompress(data) if page.get("encoding") == "gzip" else data


def table(found: list[Judged]) -> Iterator[str]:
    """Precision: of the values given, how many are right. Recall: of the values that a page carries, how many."""
    by_site: dict[str, list[Judged]] = defaultdict(list)
    for each in found:
        by_site[each.site].append(each)
    yield f"{'site':<12}{'judged':>8}{'right':>8}{'precision':>11}{'recall':>9}{'invented':>10}"
    for site, judged in [*sorted(by_site.items()), ("all", found)]:
        given = [each for each in judged if each.got not in (None, "")]
        carried = [each for each in judged if each.expected is not None]
        right = sum(each.right for each in judged)
        precision = sum(each.right for each in given) / max(1, len(given))
        recall = sum(each.right for each in carried) / max(1, len(carried))
        invented = sum(each.invented for each in judged)
        share = right / max(1, len(judged))
        yield f"{site:<12}{len(judged):>8}{share:>8.1%}{precision:>11.1%}{recall:>9.1%}{invented:>10}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--with-url", action="store_true", help="tell the readers each page's address")
    parser.add_argument("--site", help="only this one")
    asked = parser.parse_args(arguments)
    found: list[Judged] = []
    took: Counter[str] = Counter()
    for page, data in pages(asked.folder):
        if asked.site and page["site"] != asked.site:
            continue
        begun = time.process_time()
        reading = read(Saved.of(data, url=page["url"] if asked.with_url else None)).to_json()
        took[page["site"]] += int((time.process_time() - begun) * 1e6)
        found += judge(page, reading)
    sys.stdout.writelines(f"{line}\n" for line in table(found))
    for each in found:
        if not each.right:
            sys.stdout.write(f"MISS {each.file} {each.name}: expected {each.expected!r}, got {str(each.got)[:120]!r}\n")
    right = sum(each.right for each in found) / max(1, len(found))
    invented = sum(each.invented for each in found) / max(1, len(found))
    gates = [each for each in found if each.name in {"gated", "not_a_listing"}]
    fine = right >= LEAST_RIGHT and invented <= MOST_INVENTED and all(each.right for each in gates)
    sys.stdout.write(
        f"{right:.1%} of {len(found)} right (least {LEAST_RIGHT:.0%}), "
        f"{invented:.1%} invented (most {MOST_INVENTED:.0%}), "
        f"{sum(each.right for each in gates)} of {len(gates)} gates; "
        f"{sum(took.values()) / 1e6:.2f} s of CPU: {'ok' if fine else 'NOT MET'}\n"
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
