"""Makes docs/images/ anew from the demo's archive: `make demo`, then `python -m tests.console.web.shooting`."""

import argparse
import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from archive.config import ArchiveConfig
from tests.console.web.opened import Console, chromium, serving, window

ROOT = Path(__file__).resolve().parents[3]
MAX_BYTES = 250_000
DESK: Mapping[str, object] = {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "light"}
PHONE: Mapping[str, object] = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "device_scale_factor": 2,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / ".state" / "demo" / "home")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "images")
    asked = parser.parse_args()
    asked.into.mkdir(exist_ok=True)
    config = ArchiveConfig.load({"COUNTERPROOF_HOME": str(asked.home)}, settings={})
    with serving(config) as console, chromium() as browser:
        for name, path in paths(console).items():
            shoot(browser, console, path, asked.into / f"console-{name}.png", DESK)
        shoot(browser, console, paths(console)["promotion"], asked.into / "console-phone.png", PHONE)


def paths(console: Console) -> dict[str, str]:
    """Of the demo's one case."""
    archive = console.app.state.archive
    (case,) = archive.catalog.listed(None)
    with console.client() as client:
        page = client.get(f"/cases/{case.scope}/promotions").text
    promotion = page.split(f"/cases/{case.scope}/promotions/")[1].split('"')[0]
    post = archive.catalog.of_case(case.scope)[-1].capture_id
    return {
        "case": f"/cases/{case.scope}",
        "promotion": f"/cases/{case.scope}/promotions/{promotion}",
        "capture": f"/captures/{post}",
        "time": f"/captures/{post}/time",
        "review": f"/cases/{case.scope}/review",
    }


def shoot(browser: Browser, console: Console, path: str, into: Path, look: Mapping[str, object]) -> None:
    """What is seen first, with its badges resolved, in as few bytes as show it."""
    with window(browser, console, **look) as seen:
        seen.go(path)
        for each in seen.page.locator("img").all():
            each.scroll_into_view_if_needed()
            expect(each).to_have_js_property("complete", True)
        seen.page.evaluate("window.scrollTo(0, 0)")
        data = seen.page.screenshot()
    image = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (256, 128, 64, 32):
        image.quantize(colours, dither=Image.Dither.NONE).save(into, optimize=True)
        if into.stat().st_size <= MAX_BYTES:
            return
    raise SystemExit(f"{into} has {into.stat().st_size} bytes, at most {MAX_BYTES} are wanted")


if __name__ == "__main__":
    main()
