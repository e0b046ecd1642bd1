"""Check 13, package: the files that are there are those that its lists name, and each is what its lists say."""

import re
from collections.abc import Mapping

from custody.bundle import layout
from custody.bundle.findings import PACKAGE, ExportFindings
from custody.bundle.lists import parse_list
from custody.bundle.package import Gone, Package
from custody.digest import Digest
from custody.errors import FormatError

_OXUM = re.compile(rb"^Payload-Oxum: ([0-9]{1,20})\.([0-9]{1,20})\r?$", re.MULTILINE)
# These come about after the log was told, so that contents.txt cannot have them.
_LATER = (layout.PROOF, layout.CONSISTENCY, layout.EARLIER, layout.TOKEN)


class Members:
    """Speaks last: what another check has named in its own words is not named again."""

    def __init__(self, package: Package, findings: ExportFindings) -> None:
        self._package = package
        self._findings = findings
        self._tags = self._list(layout.TAG_MANIFEST)
        self.payload = self._list(layout.MANIFEST)

    def refuse_unsafe(self) -> bool:
        """Whether there is anything that must not even be read."""
        for each in self._package.unsafe:
            message = f"{each.member!r} must not be unpacked: {each.reason}"
            self._findings.fail(PACKAGE, "PKG_UNSAFE", message, member=each.member)
        return bool(self._package.unsafe)

    def check(
        self, contents: Mapping[str, Digest] | None, *, explained: set[str], exported: tuple[int, str] | None
    ) -> None:
        """``explained``: entries whose absence a chain told of; ``exported``: the export's leaf, its blob's path."""
        for path in sorted(self._package.sizes):
            if not layout.is_known(path) or not self._is_listed(path):
                self._extra(path, "no list of the export names it")
            elif contents is not None and not self._is_told(path, contents, exported):
                self._extra(path, "it was not there when the export was recorded")
        wanted: dict[str, set[str]] = {}
        for listed in (self.payload, self._tags, contents):
            for path, digest in (listed or {}).items():
                wanted.setdefault(path, set()).add(digest.hex)
        for path in sorted(wanted):
            self._compare(path, wanted[path], explained)
        self._check_declaration(whole=not explained)
        self._findings.detail(PACKAGE, f"{len(self._package.sizes)} files")

    def _list(self, path: str) -> dict[str, Digest] | None:
        """None: it is not there, or not what it was, which is named; then it condemns no other file."""
        if self._package.unsafe:
            return None
        if path == layout.MANIFEST and path in self._package.sizes and self._tags is not None:
            listed, found = self._tags.get(path), self._package.digest(path)[0]
            if listed is not None and listed != found:
                self._member(path, "its bytes are not those that are listed")
                return None
        try:
            return parse_list(self._package.read(path, layout.MAX_LIST_BYTES))
        except (Gone, FormatError) as error:
            self._findings.fail(PACKAGE, "PKG_MEMBER", f"{path}: {error}", file=path)
            return None

    def _is_listed(self, path: str) -> bool:
        """A list that is gone has been named; what it would have named is not extra for that."""
        if path == layout.TAG_MANIFEST:
            return True
        listed = self.payload if path.startswith(layout.PAYLOAD) else self._tags
        return listed is None or path in listed

    def _is_told(self, path: str, contents: Mapping[str, Digest], exported: tuple[int, str] | None) -> bool:
        if path in contents or not path.startswith(layout.PAYLOAD) or path in {layout.CHECKPOINT, layout.CONTENTS}:
            return True
        if any(each.fullmatch(path) for each in _LATER):
            return True
        if exported is None:  # it cannot be told which entry and which blob came with it
            return True
        return path in {layout.entry(exported[0]), exported[1]}

    def _compare(self, path: str, wanted: set[str], explained: set[str]) -> None:
        if path in self._findings.blamed or path in explained:
            return
        if path not in self._package.sizes:
            self._member(path, "it is listed, and not here")
            return
        found = self._package.digest(path)[0]
        if wanted != {found.hex if found is not None else None}:
            self._member(path, "its bytes are not those that are listed")

    def _check_declaration(self, *, whole: bool) -> None:
        for path in (layout.BAGIT, layout.BAG_INFO):
            if path in self._findings.blamed:
                continue
            try:
                data = self._package.read(path, layout.MAX_SMALL_BYTES)
            except (Gone, FormatError):
                data = b""
            if not (data == layout.DECLARATION if path == layout.BAGIT else self._is_counted(data, whole=whole)):
                self._member(path, "it does not say what this bag is")

    def _is_counted(self, data: bytes, *, whole: bool) -> bool:
        """RFC 8493 §2.2.2: octets and files of the payload. What is missing or extra has been named by itself."""
        found = _OXUM.search(data)
        if found is None or not whole or self._findings.failed(PACKAGE) or self._findings.blamed:
            return found is not None
        payload = [size for path, size in self._package.sizes.items() if path.startswith(layout.PAYLOAD)]
        return (int(found[1]), int(found[2])) == (sum(payload), len(payload))

    def _member(self, path: str, message: str) -> None:
        self._findings.fail(PACKAGE, "PKG_MEMBER", f"{path}: {message}", file=path)

    def _extra(self, path: str, message: str) -> None:
        self._findings.fail(PACKAGE, "PKG_EXTRA", f"{path}: {message}", file=path)
