"""How a browser context learns which visit it is: the egress asks it once, and it says so by itself from then on."""

from collections.abc import Mapping
from typing import Any

from crawlers.egress import Pass
from crawlers.tab import Refused, Wire

GREETED = 204
"""What the egress answers a greeting with."""


async def introduce(wire: Wire, admitted: Pass) -> None:
    """Have the context of a blank page ask for the visit's greeting, and answer the challenge to it.

    Chromium remembers for each context what a proxy was shown, and shows it unasked with each later request, tunnel and
    socket of page, frames, workers and new windows: none has to be held up for it. ``wire``: with the page, for this
    alone; closing it ends what it holds up. Raises Refused where the context is not known to the egress afterwards, and
    then nothing of it gets out.
    """
    shown = False

    def on_challenge(event: Mapping[str, Any]) -> None:
        nonlocal shown
        answer: dict[str, str] = {"response": "CancelAuth"}
        if event["authChallenge"].get("source") == "Proxy" and not shown:
            shown = True
            answer = {"response": "ProvideCredentials", "username": admitted.username, "password": admitted.password}
        said = {"requestId": event["requestId"], "authChallengeResponse": answer}
        wire.post("Fetch.continueWithAuth", said)

    wire.on("Fetch.authRequired", on_challenge)
    wire.on("Fetch.requestPaused", lambda event: wire.post("Fetch.continueRequest", {"requestId": event["requestId"]}))
    greeting = {"urlPattern": admitted.greeting, "requestStage": "Request"}
    await wire.send("Fetch.enable", {"handleAuthRequests": True, "patterns": [greeting]})
    asked = {"expression": _ASK % admitted.greeting, "awaitPromise": True, "returnByValue": True}
    answer = (await wire.send("Runtime.evaluate", asked)).get("result", {}).get("value")
    if answer != GREETED:
        raise Refused(f"the egress did not take the browser's word for whose visit it is: {answer or 'no answer'}")


# By the blank document, which is gone with the first page: no navigation, no referrer, no cookie, no cache.
_ASK = (
    "fetch('%s', {cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer'})"
    ".then(answer => answer.status, error => String(error))"
)
