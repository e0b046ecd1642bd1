"""``compose.yaml`` is what the Compose Specification allows, and asks of our command only what it has."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.command import ROOT, environment

HERE = Path(__file__).parent / "compose"


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    yaml: Any = importlib.import_module("yaml")  # comes with tools that we use; it ships no types
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((HERE / "compose-spec.json").read_text(encoding="utf-8"))
    return document


def ours(composed: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in composed["services"].items() if each["image"] == "counterproof"}


def test_it_is_what_the_specification_allows(composed: dict[str, Any], schema: dict[str, Any]) -> None:
    jsonschema.validate(composed, schema)
    broken = {**composed, "services": {**composed["services"], "s3": {"image": 5}}}
    with pytest.raises(jsonschema.ValidationError):  # the schema would say so
        jsonschema.validate(broken, schema)


def test_it_brings_up_what_watching_on_many_machines_needs(composed: dict[str, Any]) -> None:
    named = set(composed["services"])
    assert {"postgres", "s3", "bucket", "tsa", "sequencer", "scheduler", "worker-1", "worker-2", "console"} == named
    assert "object-lock-enabled-for-bucket" in str(composed["services"]["bucket"]["command"])
    homes = [each["volumes"][0].partition(":")[0] for name, each in ours(composed).items() if name != "console"]
    assert len(set(homes)) == len(homes)  # each with keys of its own
    for each in composed["services"].values():
        published = [str(port) for port in each.get("ports", ())]
        assert all(port.startswith("127.0.0.1:") for port in published)


def test_its_services_are_verbs_and_options_that_there_are(composed: dict[str, Any]) -> None:
    for name, each in ours(composed).items():
        verb, *rest = each["command"]
        told = subprocess.run(
            [sys.executable, "-m", "console", verb, "--help"],
            cwd=ROOT,
            env=environment({"COLUMNS": "200"}),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert told.returncode == 0, name
        for option in (word for word in rest if word.startswith("--")):
            assert option in told.stdout, (name, option)


def test_its_settings_are_documented(composed: dict[str, Any]) -> None:
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for each in ours(composed).values():
        for name in each["environment"]:
            assert name in documented or re.match(r"AWS_", name), name
