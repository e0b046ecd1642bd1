"""The robot check of Alibaba's sites (AliExpress, Alibaba, 1688, Taobao, Tmall), which is one for all."""

from collections.abc import Mapping
from typing import Any

from crawlers.saved import Saved, dig
from custody.model import Outcome

_SMALL = 60_000
"""Characters: its page holds a slider and nothing else."""
_MARKS = ("_____tmd_____", "x5secdata", "/punish?", "nocaptcha", "nc_login_form", "baxia-punish", "punish-component")


def slider(page: Saved) -> Outcome | None:
    """CAPTCHA, where the slider stands in place of the page or of a program's answer."""
    if page.json is not None:
        return Outcome.CAPTCHA if _answered(page.json) else None
    if len(page.text) > _SMALL or not any(mark in page.text for mark in _MARKS):
        return None
    return Outcome.CAPTCHA


def _answered(answer: Any) -> bool:
    if not isinstance(answer, Mapping):
        return False
    said = answer.get("ret")
    refused = (
        any("USER_VALIDATE" in str(each) or "RGV587" in str(each) for each in said) if isinstance(said, list) else False
    )
    leads = str(dig(answer, "data", "url") or answer.get("url") or "")
    return refused or answer.get("action") == "captcha" or "_____tmd_____" in leads


def asks_login(page: Saved) -> Outcome | None:
    """LOGIN_WALL, where a page of Alibaba's passport stands in place of the page."""
    if page.json is not None or len(page.text) > 2 * _SMALL:
        return None
    found = page.first(
        "//form[@id='login-form' or contains(@action,'login.')]|id('login-box')|//iframe[contains(@src,'passport.')]"
    )
    return None if found is None else Outcome.LOGIN_WALL
