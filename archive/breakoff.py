"""How a record says that a visit was broken off on our side: the page was not had, and its site had no say in it. Pure.

Records keep these sentences for ever: one that is worded anew is added, and none is taken away.
"""

INTERRUPTED = "the person running the program interrupted it"
DIED = "the browser, or its page, died during the visit"
BALKED = "the browser did not do what it was asked to"
UNOPENED = "the browser could not open a page"
LOST = "lost in"
"""And the stage: a fault of the program between the look and its record."""

_OURS = (INTERRUPTED, DIED, BALKED, UNOPENED, LOST)


def is_broken_off(reason: str) -> bool:
    """Of a record whose outcome is ``error``. False: it is what came of asking the site, as a connection refused."""
    return reason.startswith(_OURS)
