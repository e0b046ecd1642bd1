"""What two observers of a page came to, for people and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from archive.observers import Agreement, Operator


def document(agreements: Sequence[Agreement]) -> list[dict[str, Any]]:
    return [each.to_json() for each in agreements]


def lines(agreements: Sequence[Agreement]) -> Iterator[Text]:
    for each in agreements:
        who = "same operator" if each.operator is Operator.SAME else "another operator"
        word = "agree" if each.agrees else "DIFFER"
        yield Text("")
        yield Text(
            f"two observers ({who}) {word}: {each.capture} and {each.other.capture}, {each.apart_s} s apart",
            style="bold" if each.agrees else "bold yellow",
        )
        for sentence in each.sentences:
            yield Text(f"  {sentence}", style="yellow")
        for what, why in each.not_compared:
            yield Text(f"  not compared: {what}: {why}", style="dim")
        yield Text(f"  recorded as entry {each.leaf}" if each.leaf is not None else "  it waits in the inbox")
