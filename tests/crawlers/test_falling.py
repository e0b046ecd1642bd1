"""From a look to the next surface, by what the platform's own reader makes of it, and never at the visit's cost."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.reading import Kind, Reading
from crawlers.falling import Falling
from crawlers.platforms.instagram import Instagram
from crawlers.session import Plan, Session
from crawlers.sight import Seen
from crawlers.surfaces import Tokens
from crawlers.visits import visit_of
from custody.model import Visit
from tests.crawlers.looking import looking_at, new_id, now, sealed

PROFILE = "https://www.instagram.com/mirabelle.walled/"
SHELL = "<html><head><title>Mirabelle (@mirabelle.walled)</title></head><body><div></div></body></html>"
FULL = """<html><head><meta property="og:title" content="Mirabelle (@mirabelle.walled) • Instagram photos and videos">
<meta property="og:description" content="7 Followers, 3 Following, 2 Posts - See photos of Mirabelle">
<title>Mirabelle</title></head><body><p>Mirabelle</p></body></html>"""
EMBED = f"{PROFILE}embed/"


@pytest.fixture
def falling() -> Iterator[Falling]:
    made = Falling()
    yield made
    made.close()


def _after(
    falling: Falling,
    folder: Path,
    dom: str,
    *,
    url: str = PROFILE,
    hand: object = None,
    notices: list[str] | None = None,
    **job: Any,
) -> tuple[dict[str, Any], Plan | None]:
    looking = looking_at(url, folder)
    seen = Seen(
        final_url=url, http_status=200, media_type="text/html", dom=dom, text="Mirabelle", reached=True,
        times={"requested_at": now()},
    )  # fmt: skip
    visit = visit_of(
        seen, looking, run=new_id(), scope="scope", connections=(), interventions=(), candidates=(), environment={},
        closed_at=now(), surface="attended" if hand else "automatic",
    )  # fmt: skip

    async def told() -> tuple[Visit, Plan | None]:
        session = SimpleNamespace(
            hand=hand,
            job=SimpleNamespace(other_surfaces=True, **job),
            seen={},
            further={},
            notices=[] if notices is None else notices,
            cut=asyncio.Event(),
            tokens=Tokens(),
            acquisition=SimpleNamespace(new_id=new_id),
        )
        return await falling.after(cast("Session", session), looking.plan, seen, visit)

    made, further = asyncio.run(told())
    assert sealed(made)
    return cast("dict[str, Any]", made.circumstances["surface"]), further


def test_a_shell_falls_to_the_embed_and_its_record_says_so(falling: Falling, tmp_path: Path) -> None:
    said, further = _after(falling, tmp_path, SHELL)
    assert said == {
        "name": "page",
        "shown": "shell",
        "platform": "instagram",
        "next": {"surface": "embed", "url": EMBED, "why": "shell"},
    }
    assert further is not None
    assert further.url == EMBED


def test_a_page_that_shows_something_stays_alone(falling: Falling, tmp_path: Path) -> None:
    said, further = _after(falling, tmp_path, FULL)
    assert (said, further) == ({"name": "page", "shown": "content", "platform": "instagram"}, None)


def test_a_page_of_no_platform_is_not_read_for_it(falling: Falling, tmp_path: Path) -> None:
    said, further = _after(falling, tmp_path, SHELL, url="https://shop.example/")
    assert (said, further) == ({"name": "page", "shown": "content"}, None)


def test_a_platform_that_fails_at_an_address_is_told_of(
    falling: Falling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError

    notices: list[str] = []
    monkeypatch.setattr(Instagram, "surfaces", fails)
    _, further = _after(falling, tmp_path, SHELL, notices=notices)
    assert further is None
    assert notices[0] == f"{PROFILE}: the platform instagram could not say its surfaces (KeyError), none was tried"


def test_what_a_person_attended_falls_nowhere(falling: Falling, tmp_path: Path) -> None:
    said, further = _after(falling, tmp_path, SHELL, hand=object())
    assert (said, further) == ({"name": "attended", "shown": "content"}, None)


def _nothing(*_: object, **__: object) -> Reading:
    return Reading(platform="generic", kind=Kind.OTHER, notes=("its reader needed too long: nothing of it is known",))


def _no_process(*_: object, **__: object) -> Reading:
    raise OSError("no process could be begun")


@pytest.mark.parametrize("read", [_nothing, _no_process])
def test_a_page_that_could_not_be_read_is_no_shell(
    falling: Falling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[..., Reading]
) -> None:
    monkeypatch.setattr(falling, "_reader", SimpleNamespace(read=read, __exit__=lambda: None))
    said, further = _after(falling, tmp_path, SHELL)
    assert (said["shown"], further) == ("content", None)
