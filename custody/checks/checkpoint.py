"""Check 2, checkpoint: what the log has signed, at every size, and that the newest is the one it shows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from custody import keyspace
from custody.checkpoint import Checkpoint, CheckpointUnsigned, open_checkpoint
from custody.checks.inquiry import Inquiry
from custody.errors import FormatError
from custody.note import MAX_BYTES, Note
from custody.source import Absent, TooLong

CHECK = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """The checkpoints that the log signed."""

    by_size: Mapping[int, Checkpoint]
    listed: frozenset[int]
    """Sizes for which there is a file, believable or not."""
    altered: frozenset[int]
    """Those of which the file is not what was signed: nothing more can be said of it."""
    shown: int | None
    """The size in the cache ``checkpoint``, the one that readers of the log are shown first."""
    newest: Checkpoint | None


def collect(inquiry: Inquiry) -> Signed:
    """Read before tiles and commits: a log that grows meanwhile has those of what is signed here."""
    cache = keyspace.checkpoint(inquiry.log)
    (data,) = inquiry.fetched([cache], MAX_BYTES)
    opened = _open(inquiry, data, key=cache)
    shown = opened if isinstance(opened, Checkpoint) else None
    listed = _list(inquiry)
    by_size: dict[int, Checkpoint] = {}
    altered: set[int] = set()
    for (size, key), data in zip(listed, inquiry.fetched((key for _, key in listed), MAX_BYTES), strict=True):
        opened = _open(inquiry, data, key=key, size=size)
        if isinstance(opened, Checkpoint):
            by_size[size] = opened
        elif opened == "CP_SIG":
            altered.add(size)
    if shown is not None:
        kept = by_size.setdefault(shown.size, shown)
        if kept.root != shown.root:
            inquiry.findings.fail(
                CHECK,
                "LOG_FORK",
                f"the log signed two different trees of {shown.size} leaves",
                size=shown.size,
                roots=sorted((kept.root.hex(), shown.root.hex())),
            )
    return Signed(
        by_size=by_size,
        listed=frozenset(size for size, _ in listed),
        altered=frozenset(altered),
        shown=None if shown is None else shown.size,
        newest=by_size[max(by_size)] if by_size else None,
    )


def _list(inquiry: Inquiry) -> list[tuple[int, str]]:
    pattern = re.compile(re.escape(inquiry.prefix) + "checkpoints/([0-9]{20})")
    found = []
    for key in inquiry.reader.keys(f"{inquiry.prefix}checkpoints/"):
        if match := pattern.fullmatch(key):
            found.append((int(match[1]), key))
        else:
            inquiry.findings.note(CHECK, "KEY_UNKNOWN", f"{key[:300]} is nothing that a log has", key=key[:300])
    return found


def check_shown(inquiry: Inquiry, signed: Signed) -> None:
    """Last of all, since the log may have grown: is the newest signed checkpoint the one that is shown?"""
    newest = signed.newest
    if newest is None or signed.shown is None or signed.shown >= newest.size:
        return
    try:
        data = inquiry.reader.read(keyspace.checkpoint(inquiry.log), MAX_BYTES)
        shown = open_checkpoint(data, inquiry.trust.log).size
    except (Absent, TooLong, FormatError, CheckpointUnsigned):
        shown = signed.shown
    if shown < newest.size:
        inquiry.findings.fail(
            CHECK,
            "LOG_TRUNCATED",
            f"the log shows a tree of {shown} leaves and has signed one of {newest.size}: {newest.size - shown} "
            "leaves are hidden from whoever reads its `checkpoint`",
            shown=shown,
            signed=newest.size,
            key=keyspace.checkpoint_at(inquiry.log, newest.size),
        )


def _open(inquiry: Inquiry, data: bytes | Absent | TooLong, **where: str | int) -> Checkpoint | str:
    """A code, and a finding, when it cannot be believed."""
    code, message, checkpoint = "", "", None
    if isinstance(data, Absent):
        code, message = "CP_MISSING", f"there is no checkpoint under {where['key']}"
    elif isinstance(data, TooLong):
        code, message = "CP_FORMAT", str(data)
    else:
        try:
            checkpoint = open_checkpoint(data, inquiry.trust.log)
        except (FormatError, CheckpointUnsigned) as error:
            code, message = error.code, str(error)
        else:
            if checkpoint.size != where.get("size", checkpoint.size):
                code, message = "CP_SIZE", f"the checkpoint under {where['key']} is of a tree of {checkpoint.size}"
            elif strangers := len(Note.parse(data).signatures) - 1:
                inquiry.findings.note(
                    CHECK,
                    "CP_COSIGNED",
                    f"{strangers} further signatures stand under the checkpoint, by keys not asked about",
                    **where,
                )
    if code or checkpoint is None:
        inquiry.findings.fail(CHECK, code, message, **where)
        return code
    return checkpoint
