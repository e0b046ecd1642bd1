"""Any order of captures, holds, releases and disposals: nothing that anybody needs goes, and the log holds."""

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import Refused
from archive.memory import MemoryStore
from archive.stewardship import disposal, fixity, holds
from custody import keyspace
from custody.digest import Digest
from tests.archive.deployment import now
from tests.archive.stewardship.office import Office, failures

UNITS = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), UNITS, st.sampled_from(["one", "two"])),
        st.tuples(st.just("release"), UNITS, st.sampled_from(["one", "two", None])),
        st.tuples(st.just("dispose"), UNITS, st.none()),
        st.tuples(st.just("dispose all"), UNITS, st.none()),
    ),
    max_size=9,
)
FILES = st.lists(st.sets(st.sampled_from(["a", "b", "c"]), max_size=3), min_size=4, max_size=4)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=FILES, steps=STEPS)
def test_what_is_needed_stays_and_what_is_not_goes(
    files: list[set[str]], steps: list[tuple[str, int, str | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        office = Office.open(Path(folder), MemoryStore())
        with closing(office.sequencer):
            scope = office.case("Love v. Screw")
            named = [{name: name.encode() for name in each} for each in files]
            units = [office.capture(scope=scope, files=each) for each in named]
            held: dict[int, list[str]] = {n: [] for n in range(4)}
            gone: set[int] = set()
            for what, n, matter in steps:
                wanted = [n] if what != "dispose all" else list(range(4))
                if what == "hold" and matter is not None:
                    try:
                        holds.hold(office.desk, office.survey, [units[n]], matter=matter, why="")
                    except Refused:
                        assert n in gone
                    else:
                        held[n].append(matter)
                elif what == "release":
                    office.sequencer.append(
                        holds.releases(office.desk, office.survey, [units[n]], matter=matter, why="")
                    )
                    holds.let_go(office.desk, office.survey, [units[n]])
                    held[n] = [each for each in held[n] if matter is not None and each != matter]
                else:
                    try:
                        plans = disposal.plans(office.desk, office.survey, [units[each] for each in wanted])
                    except Refused:
                        assert any(held[each] for each in wanted)
                        continue
                    office.sequencer.append(disposal.disposals(office.desk, plans, why=""))
                    disposal.carry_out(office.desk, office.survey, [plan.unit for plan in plans])
                    assert not any(held[each] for each in wanted if each not in gone)
                    gone |= set(wanted)
            there = set(office.store.keys(keyspace.BLOBS))
            needed = {data for n in range(4) if n not in gone for data in named[n].values()}
            for data in {data for each in named for data in each.values()}:
                assert (keyspace.blob(Digest.of(data)) in there) == (data in needed), (data, gone)
            survey = office.survey
            assert {n: len(survey.held(units[n])) for n in range(4)} == {n: len(each) for n, each in held.items()}
            report = fixity.examine(office.desk, survey, scope=None, sample=None, seed=b"", purpose="asked", clock=now)
            assert report.faults == []
            assert failures(office.verdict()) == {}
