"""A promotion in four lines that a person understands: the post, the way, the listing, what was observed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

MAX_OBSERVATIONS = 12
MAX_TOLD = 10
"""Promotions of one command; the rest is counted."""
_MAX_WORDS = 140
WHY = {
    "in_text": "a link in the post's own words",
    "comment": "a link in the author's own comment below the post",
    "sticker": "a link on the post's picture",
    "number": "the post says the number on the button",
    "code": "the post says the code on the button",
    "picture": "the button shows the post's picture",
    "only_link": "the only link where the post sends its readers",
}
_DAY_S, _HOUR_S = 86_400, 3_600


def lines(records: Sequence[Mapping[str, Any]], case: str | None) -> Iterator[Text]:
    """Of several, and how to see more of them."""
    for each in records[:MAX_TOLD]:
        yield Text("")
        yield from told(each)
    if len(records) > MAX_TOLD:
        yield Text(f"and {len(records) - MAX_TOLD} more promotions")
    if records:
        yield Text(f"more, with pictures compared, and recorded: counterproof findings {case or 'CASE'}", style="dim")


def told(record: Mapping[str, Any], *, listed: bool = False) -> Iterator[Text]:
    """Of a promotion's record (docs/findings.md). ``listed``: what was observed follows, a line each."""
    yield Text(f"post       {_post(record['post'])}", style="bold")
    yield Text(f"way        {_way(record['edges'])}")
    yield Text(f"listing    {_listing(record)}")
    yield Text(f"observed   {_observed(record['observations'], listed=listed)}")


def sentences_of(record: Mapping[str, Any]) -> Iterator[Text]:
    """What was observed, a line each."""
    for each in record["observations"][:MAX_OBSERVATIONS]:
        weak = " (may mean something else)" if each["weak"] else ""
        yield Text(f"  - {each['sentence']}{weak}", style="dim" if each["weak"] else "")
    if (more := len(record["observations"]) - MAX_OBSERVATIONS) > 0:
        yield Text(f"  - and {more} more: add --json")


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _post(post: Mapping[str, Any]) -> str:
    fields = post["fields"]
    who = fields.get("handle") or fields.get("author") or "somebody"
    said = " ".join(str(fields.get("caption") or fields.get("text") or fields.get("title") or "").split())
    when = fields.get("published_shown") or fields.get("published")
    at = f", published {when}" if when else ", when it was published is not shown"
    where = f"[{post['url']}, capture {post['capture']}]"
    return f"{who}{at}, looked at {post['looked_at']}: {_short(said) or 'no words'}  {where}"


def _way(edges: Sequence[Mapping[str, Any]]) -> str:
    parts: list[str] = []
    for each in edges:
        if each["chosen"] == "author":
            parts.append("the author's profile")
            continue
        hops = f" over {counted(len(each['hops']), 'hop')}" if each["hops"] else ""
        named = f"“{_short(each['text'], 60)}”" if each["text"] else each["href"]
        why = WHY.get(each["by"], "one of several links: reachable, not pointed at")
        parts.append(f"{named}{hops} ({why}{_gap(each)})")
    return " → ".join(parts)


def gap_words(edge: Mapping[str, Any]) -> str:
    """How long after the post a link that may change was seen; empty for one that is in the post."""
    gap = edge["gap"]
    if gap is None:
        return ""
    if gap["seconds"] is None:
        return "how long after the post it was seen is not known"
    days, rest = divmod(gap["seconds"], _DAY_S)
    return f"seen {counted(days, 'day') if days else counted(rest // _HOUR_S, 'hour')} after the post"


def _gap(edge: Mapping[str, Any]) -> str:
    words = gap_words(edge)
    return f"; {words}" if words else ""


def _listing(record: Mapping[str, Any]) -> str:
    listing = record["listing"]
    if record["state"] != "listing_seen":
        return f"not seen: {listing['url']} showed {listing['outcome'].replace('_', ' ')}"
    fields = listing["fields"]
    brand = f"brand {fields['brand']}" if fields.get("brand") else "no brand given"
    price = fields.get("price_shown") or " ".join(str(fields[name]) for name in ("price", "currency") if name in fields)
    told_ = [f"“{_short(fields.get('title') or listing['url'])}”", brand]
    told_ += [f"sold by {fields['seller']}"] if fields.get("seller") else []
    told_ += [price] if price else []
    return f"{', '.join(told_)}  [{listing['url']}, capture {listing['capture']}]"


def _observed(observations: Sequence[Mapping[str, Any]], *, listed: bool) -> str:
    strong = [each for each in observations if not each["weak"]]
    if not observations:
        return "nothing that is looked for, in what was searched"
    weak = len(observations) - len(strong)
    rest = f"{weak} that may mean something else" if weak else ""
    if listed:
        return ", ".join(part for part in (counted(len(observations), "observation"), rest) if part)
    shown = "; ".join(_bare(each["sentence"]) for each in strong[:4])
    more = f"{len(strong) - 4} more" if len(strong) > 4 else ""  # as many as a line holds
    return "; ".join(part for part in (shown, more, rest) if part)


def _bare(sentence: str) -> str:
    return sentence.removesuffix(".")


def _short(text: Any, most: int = _MAX_WORDS) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
