"""The export as a CASE/UCO graph in JSON-LD (caseontology.org), for other people's case tools."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid5

from archive.exporting.blobs import Blobs
from archive.exporting.selection import Selection
from custody.checks.states import ENDS
from custody.digest import Digest
from custody.event import NAMESPACE
from custody.instant import format_utc
from custody.record import Record

Node = dict[str, Any]

_CONTEXT = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "kb": f"{NAMESPACE}kb/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_SPACE = UUID("6f0d3f1e-3a5c-5f0e-9d5b-0b9f1c6f4f10")
"""Of the names of things that have no id of their own: the same thing has the same name in every export."""


def graph(chosen: Selection, blobs: Blobs, at: datetime) -> bytes:
    """What was looked at, by what, when, and which files came of it. ``at`` dates the graph itself."""
    nodes = [*_nodes(chosen, blobs, at)]
    document = {"@context": _CONTEXT, "@graph": nodes}
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode(
        "utf-8", "replace"
    )


def _nodes(chosen: Selection, blobs: Blobs, at: datetime) -> Iterator[Node]:
    tool = _name("tool", version("counterproof"))
    yield {
        "@id": tool,
        "@type": "uco-tool:Tool",
        "uco-core:name": "Counterproof",
        "uco-tool:version": version("counterproof"),
    }
    digests = list(blobs.paths)
    types = {each.digest: each.media_type for each in blobs.named if each.media_type}
    sizes = {each.digest: each.bytes for each in blobs.named}
    for digest in digests:
        yield _file(digest, blobs.paths[digest], sizes.get(digest, 0), types.get(digest))
    urls: dict[str, None] = {}
    actions: list[str] = []
    for node in _captures(chosen, blobs, tool, urls):
        if node["@type"] == "case-investigation:InvestigativeAction":
            actions.append(node["@id"])
        yield node
    yield from (_url(each) for each in urls)
    what = chosen.scope or f"items {', '.join(chosen.items)}"
    yield {
        "@id": _name("investigation", what),
        "@type": "case-investigation:Investigation",
        "uco-core:name": f"Counterproof export of {what}",
        "uco-core:objectCreatedTime": _time(at),
        "uco-core:object": _refs([tool, *actions, *(_name("file", each.hex) for each in digests)]),
    }


def _captures(chosen: Selection, blobs: Blobs, tool: str, urls: dict[str, None]) -> Iterator[Node]:
    ends = {str(each.event.body["capture"]): each for each in chosen.events if each.event.type in ENDS}
    for each in chosen.events:
        if each.event.type != "capture.started":
            continue
        capture = str(each.event.body["capture"])
        index, record = blobs.records.get(capture, (None, None))
        end = ends.get(capture)
        action: Node = {
            "@id": _name("action", capture),
            "@type": "case-investigation:InvestigativeAction",
            "uco-core:name": "capture of a web page",
            "uco-action:startTime": _time(each.event.occurred_at),
            "uco-action:instrument": {"@id": tool},
        }
        if end is not None:
            action["uco-action:endTime"] = _time(end.event.occurred_at)
        if record is None or index is None or end is None:
            yield {**action, "uco-core:description": "begun, and no record of it is here"}
            continue
        files = [
            _name("file", digest.hex)
            for digest in dict.fromkeys((end.event.subjects[0].digest, *(each.digest for each in record.artifacts)))
            if digest in blobs.paths
        ]
        urls |= dict.fromkeys((record.requested_url, *([record.final_url] if record.final_url else ())))
        provenance = _name("provenancerecord", capture)
        yield {
            **action,
            "uco-core:description": (
                f"status {record.status.value}, outcome {record.outcome.value}, origin {record.origin.value}; "
                f"recorded in entry {index} of {chosen.log}"
            ),
            "uco-action:object": _refs(_name("url", each) for each in {record.requested_url: None}),
            "uco-action:result": _refs([provenance, *files]),
        }
        yield {
            "@id": provenance,
            "@type": "case-investigation:ProvenanceRecord",
            "uco-core:description": f"entry {index} of {chosen.log}: data/custody/entry-{index}.json and its proof",
            "uco-core:object": _refs(files) if files else _refs([tool]),
        }
        yield from _hops(capture, record, urls)


def _hops(capture: str, record: Record, urls: dict[str, None]) -> Iterator[Node]:
    for hop in record.hops:
        urls |= dict.fromkeys((hop.from_url, hop.to_url))
        yield {
            "@id": _name("relationship", f"{capture} hop {hop.n}"),
            "@type": "uco-observable:ObservableRelationship",
            "uco-core:source": {"@id": _name("url", hop.from_url)},
            "uco-core:target": {"@id": _name("url", hop.to_url)},
            "uco-core:kindOfRelationship": f"led to ({hop.kind.value})",
            "uco-core:isDirectional": True,
        }


def _file(digest: Digest, path: str, length: int, media_type: str | None) -> Node:
    content: Node = {
        "@id": _name("contentdatafacet", digest.hex),
        "@type": "uco-observable:ContentDataFacet",
        "uco-observable:sizeInBytes": length,
        "uco-observable:hash": {
            "@id": _name("hash", digest.hex),
            "@type": "uco-types:Hash",
            "uco-types:hashMethod": "SHA256",
            "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": digest.hex.upper()},
        },
    }
    if media_type:
        content["uco-observable:mimeType"] = media_type
    return {
        "@id": _name("file", digest.hex),
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [
            {
                "@id": _name("filefacet", digest.hex),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": path.rpartition("/")[2],
                "uco-observable:filePath": path,
                "uco-observable:sizeInBytes": length,
            },
            content,
        ],
    }


def _url(url: str) -> Node:
    return {
        "@id": _name("url", url),
        "@type": "uco-observable:URL",
        "uco-core:hasFacet": [
            {"@id": _name("urlfacet", url), "@type": "uco-observable:URLFacet", "uco-observable:fullValue": url}
        ],
    }


def _name(kind: str, of: str) -> str:
    text = f"{kind} {of}".encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return f"kb:{kind}-{uuid5(_SPACE, text)}"


def _refs(names: Iterable[str]) -> list[Node]:
    return [{"@id": each} for each in names]


def _time(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": format_utc(at)}
