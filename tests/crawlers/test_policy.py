"""The egress policy: a listener on the forbidden address counts nothing; with a hole opened, it counts."""

from typing import Any

import pytest

from archive.errors import UsageError
from crawlers.policy import Policy, is_own, parse_network
from tests.crawlers import anywhere
from tests.crawlers.forbidden import CASES, MIXED, PUBLIC, VEHICLES, Case

pytestmark = pytest.mark.skipif(anywhere.prefix() is None, reason="no network namespace can be made here")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return anywhere.told("tests.crawlers.forbidden", tmp_path_factory.mktemp("forbidden"), timeout_s=120)


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_sent_there_and_with_a_hole_it_is(found: Any, case: Case, vehicle: str) -> None:
    shut, opened = (found[f"{case.name} {vehicle} {hole}"] for hole in (False, True))
    assert shut["sent"] == 0
    assert len(shut["refused"]) == 1
    assert opened["refused"] == []
    assert "policy" not in opened["errors"]
    if case in MIXED:
        assert shut["any"] == 1, "the public address of the name was not tried"
        assert shut["errors"] != ["policy"]
    else:
        assert shut["any"] == 0, "a packet went somewhere else"
        assert shut["errors"] == ["policy"]
        assert shut["answer"] == ("HTTP/1.1 403 Forbidden" if vehicle == "tunnel" else "")
    if case.lands is None or case == MIXED[1]:
        return  # no connection can be made there by anybody, or only once the first address has failed
    assert opened["sent"] >= 1, "the listener would have heard nothing anyway: this shows nothing"


@pytest.mark.parametrize("vehicle", VEHICLES)
@pytest.mark.parametrize("case", PUBLIC, ids=lambda case: case.name)
def test_public_addresses_are_reached(found: Any, case: Case, vehicle: str) -> None:
    assert found[f"{case.name} {vehicle} False"]["sent"] == 1


def test_a_public_address_that_is_this_machines_own_is_refused(found: Any) -> None:
    own = found["own"]
    assert (own["any"], own["errors"]) == (0, ["policy"])
    assert own["refused"] == ["93.184.215.14: this machine's own"]


def test_a_name_that_changes_sides_gains_nothing(found: Any) -> None:
    rebinding = found["rebinding"]
    assert rebinding["asked"] == 2, "a visit asks once; the next one asks anew"
    assert (rebinding["public"], rebinding["inside"]) == (3, 0)
    assert rebinding["errors"][0].count("policy") == 0
    assert rebinding["errors"][1] == ["policy"]


def test_ports_of_other_protocols_are_refused(found: Any) -> None:
    assert found["ports"]["sent"] == [8080]
    assert [port for port, error in found["ports"]["errors"].items() if error == "policy"] == [
        "22",
        "25",
        "110",
        "6667",
    ]


def test_resolve_opens_one_host_at_one_port(found: Any) -> None:
    told = found["one hole"]
    assert told["hole.example:80"] == {"sent": 1, "error": "reset"}  # as the listener does to everybody
    shut = [each for end, each in told.items() if end != "hole.example:80"]
    assert shut == [{"sent": 0, "error": "policy"}] * 3


def test_what_is_no_address_is_refused() -> None:
    refusal = Policy().address("nonsense")
    assert refusal is not None
    assert refusal.reason == "no IP address"


def test_a_network_with_a_hole_in_it_opens_every_form_of_it() -> None:
    policy = Policy(allowed=(parse_network("10.20.0.0/16"), parse_network("fd12::1")))
    for inside in ("10.20.3.4", "::ffff:10.20.3.4", "64:ff9b::a14:304", "fd12::1"):
        assert policy.address(inside) is None, inside
    for outside in ("10.21.0.1", "fd12::2", "127.0.0.1"):
        assert policy.address(outside) is not None, outside


def test_whose_address_it_is() -> None:
    assert is_own("127.0.0.1")
    assert is_own("::ffff:127.0.0.1")
    assert not is_own("198.51.100.77")


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "intranet", "fd00::/200"])
def test_a_network_that_is_none_says_how_one_looks(text: str) -> None:
    with pytest.raises(UsageError, match=r"--allow-network .* Write one such as"):
        parse_network(text)
