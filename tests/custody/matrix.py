"""The tamper matrix: its rows, the archives they are done to, and how a row is judged. docs/tampering.md lists them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from custody.checkpoint import Checkpoint
from custody.model import Role
from custody.trust import Trust
from custody.verdict import CHECKS, Severity
from custody.verify import verify
from tests.authority import LocalAuthority, make_signer
from tests.custody.archive_builder import START, ArchiveBuilder, MemorySource, small
from tests.custody.hostile import Files, png
from tests.custody.tampering import expect, found

AT = START + timedelta(hours=12)
TSA = "tsa-0.example"

Locator = Mapping[str, Any]
Expected = tuple[str, Locator]

_UNCRITICAL = """
[ uncritical ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = timeStamping
"""

LOG_SEED = b"\x02" * 32
STRANGER_SEED = b"\x66" * 32


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What was done, and what has to be said of it."""

    source: MemorySource
    expected: Sequence[Expected]
    trust: Trust | None = None
    """None: the world's own."""
    notes: Sequence[Expected] = ()
    moot: Sequence[int] = ()
    """Checks that cannot be made any more, and say so."""
    kept: Sequence[Checkpoint] = ()
    at: datetime = AT


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """A finished archive, as its files."""

    builder: ArchiveBuilder
    source: MemorySource
    trust: Trust
    authority: LocalAuthority
    other: LocalAuthority | None = None
    """A second one, whom the trust file does not know."""

    @property
    def files(self) -> Files:
        return dict(self.source.objects)

    def with_files(self, files: Files) -> MemorySource:
        """The store with these objects, and its locks as they are."""
        return replace(self.source.copy(), objects=files)

    def fresh(self) -> ArchiveBuilder:
        """One to be changed by its own operator, who signs it all again."""
        return small()

    def stamped(self) -> ArchiveBuilder:
        return small([self.authority])


@dataclass(frozen=True, kw_only=True)
class Row:
    number: int
    name: str
    attack: Callable[[World], Attack]
    big: bool = False
    """Done to a log of more leaves than a tile holds."""

    @property
    def id(self) -> str:
        return f"{self.number:02d}-{self.name}"


@dataclass
class Rows:
    rows: list[Row] = field(default_factory=list)

    def __call__(
        self, number: int, *, big: bool = False
    ) -> Callable[[Callable[[World], Attack]], Callable[[World], Attack]]:
        def register(attack: Callable[[World], Attack]) -> Callable[[World], Attack]:
            self.rows.append(Row(number=number, name=attack.__name__, attack=attack, big=big))
            return attack

        return register


def make_world(directory: Path) -> World:
    """Two cases, four captures, one of them with a real picture, two tokens by a pinned signer."""
    authority = LocalAuthority(directory)
    make_signer(directory, "other")
    with (directory / "openssl.cnf").open("a") as file:
        file.write(_UNCRITICAL)
    make_signer(directory, "uncritical", extensions="uncritical")
    made = small([authority])
    run = made.open_run()
    made.capture(run, scope=made.open_case("Pictures"), files={Role.SCREENSHOT: png(9), Role.DOM: b"<p>"})
    made.close_run(run, 1)
    made.stamp()
    return World(builder=made, source=made.build(), trust=made.trust, authority=authority)


def make_big_world(directory: Path) -> World:
    made = small()
    for _ in range(2):
        made.commit(*(made.draft(filler(made)) for _ in range(130)))
    return World(builder=made, source=made.build(), trust=made.trust, authority=LocalAuthority(directory))


def filler(made: ArchiveBuilder) -> Any:
    scope = made.new_id()
    return made.event("case.opened", f"scope:{scope}", made.detail("case.json", {"scope": scope}), {})


@lru_cache(maxsize=4)
def _check_good(world: World) -> None:
    verdict = verify(world.source, world.trust, at=AT)
    assert verdict.findings == (), "the archive is good before"
    assert all(each.passed for each in verdict.checks)


def judge(row: Row, world: World) -> None:
    """Exact code and locator, nothing else, and all that is untouched still good."""
    _check_good(world)
    attack = row.attack(world)
    assert attack.source != world.source, "something was done"
    verdict = verify(attack.source, attack.trust or world.trust, at=attack.at, kept=attack.kept)
    assert found(verdict, Severity.FAIL) == expect(*((code, dict(where)) for code, where in attack.expected))
    assert found(verdict, Severity.NOTE) == expect(*((code, dict(where)) for code, where in attack.notes))
    assert found(verdict, Severity.UNCHECKED) == []
    assert verdict.word == ("does not hold" if attack.expected else "holds")

    failed = {each.check for each in verdict.findings if each.severity is Severity.FAIL}
    for check in verdict.checks:
        wanted = False if check.n in failed else None if check.n in attack.moot else True
        assert check.passed is wanted, f"check {check.n} {CHECKS[check.n]}: {check.detail}"
