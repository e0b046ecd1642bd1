"""The hosts that known-truth pages lie on, in the making: answers by address, and one digest over all of them."""

import hashlib
import json
from urllib.parse import urlsplit

from tests.site.host import Answer, Door, Host, always, page, redirect


class Network:
    """Collects answers; ``hosts`` are for a ``Site``."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Answer]] = {}
        self._doors: dict[str, Door] = {}

    def put(self, url: str, answer: Answer) -> str:
        """At an address, whatever its query; the address again. Each address once."""
        parts = urlsplit(url)
        routes = self._answers.setdefault(str(parts.hostname), {})
        if parts.path in routes:
            raise ValueError(f"two answers for {url}")
        routes[parts.path] = answer
        return url

    def replace(self, url: str, answer: Answer) -> None:
        parts = urlsplit(url)
        self._answers[str(parts.hostname)][parts.path] = answer

    def show(self, url: str, html: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> str:
        return self.put(url, page(html, status=status, headers=headers))

    def lead(self, url: str, status: int, location: str) -> str:
        return self.put(url, redirect(status, location))

    def door(self, host: str, door: Door) -> None:
        """What stands behind a host's port where it is not an ordinary HTTPS server."""
        self._doors[host] = door
        self._answers.setdefault(host, {})

    def answer(self, url: str) -> Answer | None:
        parts = urlsplit(url)
        return self._answers.get(str(parts.hostname), {}).get(parts.path)

    def hosts(self) -> tuple[Host, ...]:
        return tuple(
            Host(
                name=name,
                door=self._doors.get(name, Door.HTTPS),
                routes={path: always(answer) for path, answer in routes.items()},
            )
            for name, routes in sorted(self._answers.items())
        )

    def sha256(self) -> str:
        """Over every answer: host, path, and all that is sent."""
        hasher = hashlib.sha256()
        for host, routes in sorted(self._answers.items()):
            for path, answer in sorted(routes.items()):
                head = [host, path, self._doors.get(host, Door.HTTPS), answer.status, answer.media_type]
                head += [answer.headers, answer.delay_s, answer.ending]
                hasher.update(json.dumps(head).encode() + b"\n" + len(answer.body).to_bytes(8, "big") + answer.body)
        return hasher.hexdigest()
