"""``python -m tests.site --state-file FILE [--seconds N]``: the make-believe network until killed."""

import argparse
import json
import signal
import threading
from pathlib import Path

from tests.site.server import Site


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.site", description=__doc__)
    parser.add_argument(
        "--state-file", type=Path, required=True, help="written when the ports are open; removed at the end"
    )
    parser.add_argument("--seconds", type=float, help="stop by itself after so long")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Site() as site:
        state = {"urls": site.urls, "resolve": site.resolve, "trust_spki": site.trust_spki}
        whole: Path = options.state_file
        part = whole.with_name(f"{whole.name}.part")
        part.write_text(json.dumps(state, indent=1), encoding="utf-8")
        part.replace(whole)  # a reader sees all of it or none
        stop.wait(options.seconds)
        whole.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
