"""What was reached, counted."""

from archive.catalog import Reached
from console.reaching import count


def _reached(url: str, shown: str, *, surface: str = "page", platform: str | None = None, times: int = 1) -> Reached:
    return Reached(url=url, platform=platform, surface=surface, day="2026-03-01", shown=shown, times=times)


def _platform(url: str) -> str | None:
    return "glimpse" if "glimpse" in url else None


def test_by_platform_surface_and_day() -> None:
    found = [
        _reached("https://glimpse.example/a", "content", times=2),
        _reached("https://glimpse.example/b", "content"),
        _reached("https://glimpse.example/b", "wall"),
        _reached("https://api.example/?q=b", "content", surface="api", platform="glimpse"),
        _reached("https://shop.example/", "refused"),
        _reached("https://shop.example/", "hologram"),
    ]
    assert [(row, dict(times)) for row, times in count(found, _platform)] == [
        (("glimpse", "api", "2026-03-01"), {"content": 1}),
        (("glimpse", "page", "2026-03-01"), {"content": 3, "wall": 1}),
        (("other", "page", "2026-03-01"), {"refused": 1, "hologram": 1}),
    ]


def test_nothing_is_nothing() -> None:
    assert count([], _platform) == []
