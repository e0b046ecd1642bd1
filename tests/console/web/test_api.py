"""The JSON API: asked whatever its own description allows, and some of what it does not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from archive.accounts import EVERYWHERE, Accounts, Right
from console.screen import now
from tests.console.web.opened import Console, served
from tests.console.web.shelf import Laid

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def open_to_others(laid: Laid) -> Iterator[Console]:
    with served(laid, is_local=False) as made:
        yield made


@pytest.fixture(scope="module")
def token(open_to_others: Console) -> Iterator[str]:
    accounts: Accounts = open_to_others.app.state.accounts
    accounts.add("program", None)
    accounts.grant("program", EVERYWHERE, Right.REVIEWER)
    yield accounts.issue("program", most=Right.CUSTODIAN, scopes=(), expires=now() + timedelta(days=1))[1]
    accounts.remove("program")


@pytest.mark.slow
def test_it_answers_as_it_says(open_to_others: Console, token: str, laid: Laid) -> None:
    """Each operation, with values drawn from its own schema; the plugin's way of doing so needs another pytest."""
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_url(f"{open_to_others.base}/api/openapi.json", headers=headers)
    (row,) = [each for each in open_to_others.app.state.archive.catalog.listed(None) if each.name == "first"]
    known = {"scope": row.scope, "capture_id": laid.builder.captures[0].id, "name": "text.txt"}
    asked = []
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a schema of ours is no invalid one

        @settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
        @given(case=operation.as_strategy(), is_there=strategies.booleans())
        def ask(case: Any, is_there: bool) -> None:
            if is_there:
                case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            case.call_and_validate(headers=headers, checks=CHECKS, timeout=60)

        ask()
        asked.append(operation.label)
    assert len(asked) >= 14


def test_it_says_what_the_pages_say(open_to_others: Console, token: str, laid: Laid) -> None:
    post = laid.builder.captures[0]
    with open_to_others.stranger() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        cases = client.get("/api/v1/cases").json()["cases"]
        first = next(each for each in cases if each["name"] == "first")
        assert (first["units"], first["captures"]) == (1, 2)
        scope = first["case_id"]
        listed = client.get(f"/api/v1/cases/{scope}/captures").json()["captures"]
        assert {each["capture_id"] for each in listed} == {each.id for each in laid.builder.captures[:2]}
        told = client.get(f"/api/v1/captures/{post.id}").json()
        assert told["record"]["capture_id"] == post.id
        assert told["cases"] == [scope]
        verdict = client.get(f"/api/v1/captures/{post.id}/verdict").json()
        assert verdict["verdict"] == "holds"
        assert verdict["time"]["not_after"] is not None
        events = client.get(f"/api/v1/captures/{post.id}/events").json()["events"]
        assert [each["type"] for each in events] == ["capture.started", "item.assigned", "capture.completed"]
        data = client.get(f"/api/v1/captures/{post.id}/files/text.txt")
        assert data.content == b"visible text 0"
        assert client.get(f"/api/v1/cases/{scope}/promotions").json()["promotions"] == []
        assert client.get("/api/v1/captures/none").json() == {"error": "There is nothing here", "kind": "Missing"}


def test_a_session_needs_the_forms_word_to_change_anything(console: Console) -> None:
    (case,) = [each for each in console.app.state.archive.catalog.listed(None) if each.name == "first"]
    order = {"urls": ["ftp://x"], "case_id": case.scope}
    with console.client() as client:
        assert client.post("/api/v1/jobs", json=order).status_code == 403
        word = {"X-CSRF-Token": console.csrf(client)}
        assert client.post("/api/v1/jobs", json=order, headers=word).status_code == 422, "it got as far as the address"


def test_a_reviewers_token_has_nothing_captured(open_to_others: Console, token: str) -> None:
    (case,) = [each for each in open_to_others.app.state.archive.catalog.listed(None) if each.name == "first"]
    with open_to_others.stranger() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        answer = client.post("/api/v1/jobs", json={"urls": ["https://a.example/"], "case_id": case.scope})
        assert answer.status_code == 403
        assert "investigator" in answer.json()["error"]
