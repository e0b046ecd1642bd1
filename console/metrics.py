"""Metrics, health and readiness of a deployment, over HTTP: for Prometheus, and for whoever restarts things."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from archive.errors import ArchiveError
from archive.watching.standing import Standing

_PREFIX = "counterproof_"


class _Numbers(Collector):
    """Read anew each time that somebody asks. Ids, addresses and names of cases are in none of them."""

    def __init__(self, ask: Callable[[], Standing]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[Metric]:
        now = self._ask()
        for name, text, value in (
            ("watches_due", "Watches that are due and not released yet", now.due),
            ("looks_late", "Looks that were due a quarter of an hour ago and have not begun", now.late),
            ("looks_waiting", "Looks that wait for a worker", now.waiting),
            ("looks_running", "Looks under way", now.running),
            ("oldest_waiting_seconds", "Age of the look that waits longest", now.oldest_waiting_s),
            ("captures_day", "Captures of the last 24 hours", now.captures),
            ("bytes_day", "Bytes captured in the last 24 hours", now.bytes),
            ("store_requests_day", "Requests to the store of the last day's looks", now.requests),
            ("changes_day", "Looks of the last 24 hours that found a change", now.changed),
            ("kept_failures_day", "Looks given up in the last 24 hours", len(now.kept_failures)),
            (
                "hosts_failing",
                "Hosts whose looks showed only walls or errors, or whose pages are read in vain",
                len(now.failing),
            ),
            ("hosts_left_alone", "Hosts that asked us to stop", len(now.left_alone)),
            ("hosts_spent", "Hosts whose visits of today are used up", len(now.spent)),
            ("workers", "Workers that were heard of", len(now.workers)),
            ("schedulers", "Workers that release what is due", now.schedulers),
            ("unsealed", "1 where events wait for trusted time", int(now.unsealed_since is not None)),
            ("healthy", "1 where nothing wants a person", int(now.healthy)),
        ):
            yield GaugeMetricFamily(_PREFIX + name, text, value=value)
        watches = GaugeMetricFamily(_PREFIX + "watches", "Watches by state", labels=["state"])
        for state, count in now.watches.items():
            watches.add_metric([state], count)
        yield watches
        looks = GaugeMetricFamily(_PREFIX + "looks_day", "Looks of the last 24 hours by outcome", labels=["outcome"])
        for outcome, count in now.looks.items():
            looks.add_metric([outcome], count)
        yield looks
        browsers = GaugeMetricFamily(_PREFIX + "browsers_started", "Browsers that workers have started so far")
        browsers.add_metric([], sum(int(each.get("browsers", 0)) for each in now.workers))
        yield browsers


@contextmanager
def serving(ask: Callable[[], Standing], *, port: int, address: str = "127.0.0.1") -> Iterator[int]:
    """Answers ``/metrics``, ``/healthz`` and ``/readyz`` while it lasts; gives the port (0: any)."""
    registry = CollectorRegistry()
    registry.register(_Numbers(ask))

    class Answers(BaseHTTPRequestHandler):
        server_version = "counterproof"
        sys_version = ""

        def do_GET(self) -> None:
            try:
                if self.path == "/metrics":
                    self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                elif self.path == "/healthz":
                    self._send(200, "application/json", b'{"alive": true}\n')
                elif self.path == "/readyz":
                    now = ask()
                    ready = now.schedulers > 0 and any(each.get("looks") for each in now.workers)
                    self._send(200 if ready else 503, "application/json", json.dumps({"ready": ready}).encode() + b"\n")
                else:
                    self._send(404, "text/plain", b"metrics, healthz, readyz\n")
            except ArchiveError as error:
                said = {"ready": False, "trouble": type(error).__name__}
                self._send(503, "application/json", json.dumps(said).encode() + b"\n")

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Who asks is nobody's business here."""

    server = ThreadingHTTPServer((address, port), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
