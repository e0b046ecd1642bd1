"""The topology of ``compose.yaml`` as separate processes: homes and keys of their own, sharing only DSN and S3."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from archive.embedded import BUCKET, serving
from archive.postgres import embedded_postgres
from archive.s3 import S3Store
from archive.watching.database import opened
from tests.command import run
from tests.site.server import Site
from tests.workers import Process, rows, through, until

pytestmark = [pytest.mark.browser, pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as opened_:
        yield opened_


@pytest.mark.timeout(900)
def test_two_workers_a_scheduler_and_a_sequencer_share_a_database_and_a_store_and_nothing_else(
    site: Site, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        s3 = stack.enter_context(serving(tmp_path / "s3"))
        dsn = stack.enter_context(embedded_postgres(tmp_path / "postgres"))
        store = S3Store(bucket=BUCKET, endpoint=s3.endpoint, credentials=s3.credentials)
        store.make_bucket()
        store.close()
        shared = {
            "COUNTERPROOF_DSN": dsn,
            "COUNTERPROOF_STORE_URL": f"s3://{BUCKET}?endpoint={s3.endpoint}",
            "AWS_ACCESS_KEY_ID": s3.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.credentials.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        office = tmp_path / "office" / "home"
        office.parent.mkdir()
        begun = run("sequence", "--once", home=office, env=shared)  # makes keys, and begins the log
        assert begun.code == 0, begun.err
        workers = []
        for n in (1, 2):
            home = tmp_path / f"worker-{n}" / "home"
            home.parent.mkdir()
            enrolled = run(
                "keys", "enrol", "--trust", str(office / "trust.json"), "--out", str(home.parent / "requests"),
                home=home, env=shared,
            )  # fmt: skip
            assert enrolled.code == 0, enrolled.err
            (request,) = (home.parent / "requests").glob("*.json")
            introduced = run("keys", "introduce", str(request), home=office, env=shared)
            assert introduced.code == 0, introduced.err
            assert not (home / "keys" / "log.key").exists()
            workers.append(home)
        pages = ("post", "post_unlinked", "post_direct", "post_plain_http")
        run("watch", "host", "www.glimpsegram.example", "--slots", "4", "--delay", "0", home=office, env=shared)
        added = run(
            "watch", "add", *(site.url(each) for each in pages), "--case", "b", "--every", "1d", "--no-follow",
            home=office, env=shared,
        )  # fmt: skip
        assert added.code == 0, added.err
        processes = [
            Process("sequence", home=office, env=shared),
            Process("work", "--only", "schedule", home=office, env=shared),
            *(
                Process("work", "--only", "looks", "--concurrency", "1", *through(site), home=home, env=shared)
                for home in workers
            ),
        ]
        try:
            with opened(dsn) as database:
                until(
                    lambda: rows(database, "SELECT count(*) FROM counterproof.looks WHERE state = 'done'") == [(4,)],
                    400,
                    lambda: "\n".join(each.told() for each in processes),
                )
                carried_out = rows(
                    database, "SELECT count(DISTINCT worker), bool_and(outcome = 'ok') FROM counterproof.looks"
                )
                assert carried_out == [(2, True)]
            assert [each.stop() for each in reversed(processes)] == [0] * len(processes)
        finally:
            for each in processes:
                if each.process.poll() is None:
                    each.kill()
        assert run("sequence", "--once", home=office, env=shared).code == 0
        shutil.rmtree(workers[0])  # nothing is lost with a worker's disk
        verdict = run("verify", "--json", home=office, env=shared)
        assert verdict.code == 0, verdict.out
        facts = verdict.document["facts"]
        assert (facts["open"], facts["events"]["capture.completed"]) == (0, 4)
