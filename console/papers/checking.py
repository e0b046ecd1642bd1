"""The archive verified while a paper is made, so that the paper can say so."""

from concurrent.futures import ThreadPoolExecutor

from archive.errors import NotStored, StoreError
from archive.opinion import ask_openssl
from console.papers.casefile import CaseFile
from custody.verdict import Verdict
from custody.verify import verify

_THREADS = 16  # reads wait for the store more than for the processor


def verdict_of(file: CaseFile) -> Verdict:
    """Every byte of the case's evidence is read back; the log is checked whole."""
    with ThreadPoolExecutor(_THREADS, "paper") as threads:
        return verify(
            file.kept.reader.store,
            file.trust,
            at=file.at,
            scope=file.scope,
            second_opinion=ask_openssl,
            map=threads.map,
            absent=(NotStored,),
            unreachable=(StoreError,),
        )
