"""Values for hypothesis: whatever a schema lets through, and the events and records that are made of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from custody import schema
from custody.digest import Digest
from custody.event import Anchor, Event, Ref, Subject
from custody.ids import uuid7
from custody.schema import Schema

MILLISECONDS = st.integers(946_684_800_000, 4_102_444_800_000).map(
    lambda milliseconds: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
)
UTC_TEXT = MILLISECONDS.map(lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
UUIDS = st.tuples(MILLISECONDS, st.binary(min_size=10, max_size=10)).map(lambda parts: uuid7(*parts))
DIGESTS = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex()))
NONCES = st.binary(min_size=16, max_size=16).map(bytes.hex)
COUNTS = st.integers(0, 2**53 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


_TEXTS = ((schema.UTC, UTC_TEXT), (schema.UUID7, UUIDS), (schema.HEX64, DIGESTS.map(lambda each: each.hex)))


def values(of: Schema) -> st.SearchStrategy[Any]:
    """Of the words that ``custody.schema`` knows."""
    if "anyOf" in of:
        return st.one_of([values(each) for each in of["anyOf"]])
    if "const" in of:
        return st.just(of["const"])
    if "enum" in of:
        return st.sampled_from(of["enum"])
    kind = of["type"]
    if kind == "object":
        required = {key: values(of["properties"][key]) for key in of["required"]}
        optional = {key: values(each) for key, each in of["properties"].items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if kind == "array":
        return st.lists(values(of["items"]), min_size=of["minItems"], max_size=min(of["maxItems"], 4))
    for known, strategy in _TEXTS:
        if of == known:
            return strategy
    if kind == "string":
        return st.from_regex(of["pattern"].removesuffix("$") + r"\Z", alphabet=st.characters(codec="ascii"))
    return {"integer": st.integers(of.get("minimum"), of.get("maximum")), "boolean": st.booleans(), "null": st.none()}[
        kind
    ]


@st.composite
def events(draw: st.DrawFn, type_: str | None = None) -> Event:
    name = type_ or draw(st.sampled_from(sorted(schema.KINDS)))
    kind = schema.KINDS[name]
    chain_kind, chain_id = draw(st.sampled_from(kind.chains)), draw(UUIDS)
    run = draw(st.none() | UUIDS)
    return Event(
        type=name,
        event_id=draw(UUIDS),
        salt=draw(NONCES),
        occurred_at=draw(MILLISECONDS),
        run=chain_id if chain_kind == "run" else run,
        chain=f"{chain_kind}:{'evidence.example_custody' if chain_kind == 'log' else chain_id}",
        anchor=draw(st.none() | st.builds(Anchor, size=COUNTS, token_sha256=DIGESTS)),
        refs=(Ref(rel=kind.relation, payload_sha256=draw(DIGESTS)),) if kind.relation else (),
        subjects=(Subject(name=kind.subject, digest=draw(DIGESTS), bytes=draw(COUNTS)),),
        body=draw(values(kind.body)),
    )
