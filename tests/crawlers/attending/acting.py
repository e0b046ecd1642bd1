"""The command, with a person in the window that it opens: ``python -m tests.crawlers.attending.acting WHAT attend …``.

WHAT she does once the page stands: ``looks`` (presses the first link, if there is one), ``logs-in`` (types into the
first field for a password, and sends it), ``waits`` (until she is told to end), ``closes`` (the window, at once).
"""

import asyncio
import sys
from dataclasses import replace
from typing import Any

from console import cli
from crawlers import browser
from crawlers.attending.hand import Hand
from tests.crawlers.attending.scene import Person

SECRET = "sesame-4711"
STANDS_S = 20.0


async def act(what: str, person: Person) -> None:
    try:
        await _act(what, person)
    except BaseException:
        person.hand.finish()  # nobody is left who would end the visit
        raise


async def _act(what: str, person: Person) -> None:
    await person.until("page" if what != "closes" else "attend")
    there = person.page
    if what == "closes":
        await person.close_window()
    elif what == "looks":
        await there.locator("a").first.click()
        await person.until("page", 2)
        await person.shoot()
        person.hand.finish()
    elif what == "logs-in":
        await there.locator("[type=password]").first.click()
        await there.keyboard.type(SECRET)
        await there.keyboard.press("Enter")
        await person.until("page", 2)
        person.hand.finish()


def main() -> None:
    what, real = sys.argv.pop(1), browser.attend

    async def attend(page: Any, order: browser.Order, *, hand: Hand, rename: Any) -> browser.Seen:
        person = Person(page=page, hand=hand, steps=[])

        def progress(step: str, facts: Any) -> None:
            person.steps.append(step)
            order.progress(step, facts)

        acting = asyncio.ensure_future(act(what, person))
        try:
            return await real(page, replace(order, progress=progress), hand=hand, rename=rename)
        finally:
            await acting

    browser.attend = attend
    cli.main()


if __name__ == "__main__":
    main()
