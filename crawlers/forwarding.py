"""A request to a proxy: read strictly as it comes (RFC 9112), written as it goes on to the site."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal, Self

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) (HTTP/1\.[01])")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")  # RFC 9110 §5.1, 5.5
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\s\\]+)(?::(?P<port>[0-9]{1,5}))?")

Framing = int | Literal["chunked"]
"""How long a request's body is: bytes, or as its chunks say."""


class BadRequest(Exception):
    """What came is no request that a proxy can understand; the message names the rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """A request line and its field lines, in their order and case."""

    method: str
    target: str
    version: str
    fields: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """`data` ends with the empty line. Folded lines, bare line feeds and the like are refused."""
        first, *rest = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
        request_line = _REQUEST_LINE.fullmatch(first)
        if request_line is None:
            raise BadRequest("the first line is no HTTP/1.1 request line")
        fields = []
        for line in rest:
            field = _FIELD_LINE.fullmatch(line)
            if field is None:
                raise BadRequest("a header line is malformed")
            fields.append((field[1], field[2]))
        method, target, version = (part.decode("ascii") for part in request_line.groups())
        return cls(method=method, target=target, version=version, fields=tuple(fields))

    def values(self, name: bytes) -> tuple[bytes, ...]:
        return tuple(value for field, value in self.fields if field.lower() == name)

    def credentials(self) -> tuple[str, str] | None:
        """User name and password of `Proxy-Authorization: Basic …` (RFC 7617), if there is exactly one."""
        match self.values(b"proxy-authorization"):
            case (value,) if value[:6].lower() == b"basic ":
                try:
                    name, colon, password = base64.b64decode(value[6:], validate=True).decode().partition(":")
                except (binascii.Error, UnicodeDecodeError):
                    return None
                return (name, password) if colon else None
            case _:
                return None

    def framing(self) -> Framing:
        """RFC 9112 §6: a request with both lengths, or two that differ, is how smugglers speak."""
        coding, lengths = self.values(b"transfer-encoding"), set(self.values(b"content-length"))
        if coding and lengths:
            raise BadRequest("both Transfer-Encoding and Content-Length")
        if coding:
            if len(coding) > 1 or coding[0].lower() != b"chunked":
                raise BadRequest("a transfer coding other than chunked")
            return "chunked"
        if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]{1,18}", length) for length in lengths):
            raise BadRequest("no single Content-Length")
        return int(lengths.pop()) if lengths else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Forward:
    """Where a plain request goes, and the bytes that go there."""

    host: str
    port: int
    head: bytes
    framing: Framing


def tunnel_target(head: Head) -> tuple[str, int]:
    """`CONNECT host:port` (RFC 9110 §9.3.6)."""
    host, port = _authority(head.target, default_port=None)
    return host, port


def forward(head: Head) -> Forward:
    """From absolute-form to origin-form (RFC 9112 §3.2): one request, then the connection ends.

    The fields keep order and case. Gone are those that are between the browser and us: `Proxy-*`, and what
    `Connection` names (RFC 9110 §7.6.1).
    """
    absolute = re.fullmatch(r"http://([^/?#]*)([^#]*)(?:#.*)?", head.target, re.IGNORECASE)
    if absolute is None:
        raise BadRequest("a plain request needs an absolute http: target")
    host, port = _authority(absolute[1], default_port=80)
    path = absolute[2] if absolute[2].startswith("/") else "/" + absolute[2]
    if len(head.values(b"host")) > 1:
        raise BadRequest("more than one Host")
    named = {token.strip().lower() for value in head.values(b"connection") for token in value.split(b",")}
    lines = [f"{head.method} {path} {head.version}".encode("ascii")]
    closed = False
    for name, value in head.fields:
        lower = name.lower()
        if lower in (b"connection", b"proxy-connection"):
            # In the place where the browser would have put it.
            if not closed:
                lines.append(b"Connection: close")
            closed = True
        elif lower == b"host":
            lines.append(name + b": " + absolute[1].encode("ascii"))  # RFC 9112 §3.2.2: the target's, whatever it says
        elif lower.startswith(b"proxy-") or lower == b"keep-alive" or lower in named:
            continue
        else:
            lines.append(name + b": " + value)
    if not head.values(b"host"):
        lines.insert(1, b"Host: " + absolute[1].encode("ascii"))
    if not closed:
        lines.append(b"Connection: close")
    return Forward(host=host, port=port, head=b"\r\n".join(lines) + b"\r\n\r\n", framing=head.framing())


def _authority(text: str, *, default_port: int | None) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else default_port
    if match is None or port is None or not 0 < port < 65536:
        raise BadRequest("no host and port")
    return match["host"].strip("[]").lower().removesuffix("."), port
