"""No way that a page has to make the browser connect leads past the egress policy; each does where a hole is opened."""

from typing import Any

import pytest

from tests.crawlers import anywhere
from tests.crawlers.vehicles import ADDRESS, NEVER_SENT, RTC

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(anywhere.prefix() is None, reason="no network namespace can be made here"),
]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return anywhere.told("tests.crawlers.vehicles", tmp_path_factory.mktemp("vehicles"), timeout_s=300)


@pytest.mark.parametrize("vehicle", ADDRESS)
def test_it_is_kept_out_and_with_a_hole_it_is_not(found: Any, vehicle: str) -> None:
    assert found["shut"]["sent"][vehicle] == 0
    if vehicle in NEVER_SENT:
        return
    assert vehicle in found["shut"]["refused"], "it is not said that it was refused"
    assert found["open"]["sent"][vehicle] >= 1, "the page does not try this at all: nothing is shown"


def test_the_browser_sends_nothing_but_through_the_egress(found: Any) -> None:
    """Its own errands, DNS, mDNS, STUN, QUIC, a proxy of the environment: no packet in the whole network."""
    assert found["shut"]["all"] == {}
    assert found["open"]["udp"] == 0


def test_without_our_flags_webrtc_would_send(found: Any) -> None:
    assert found["bare"]["sent"]["stun"] > 0, "the page's attempt is not there, so that nothing was shown"
    assert found["bare"]["sent"]["turn-udp"] > 0
    assert found["bare"]["sent"].keys() >= RTC.keys()
