"""An official answer for programs as a capture: asked for under our name, kept with what came with it."""

import asyncio
import base64
import http.client
import json
import time
from dataclasses import replace
from itertools import pairwise

from scrapy import Request
from scrapy.http import Response

from crawlers import tls
from crawlers.asking import Answer, Ask, Unanswered, follow
from crawlers.blotting import Blotter
from crawlers.exchange import Exchange
from crawlers.session import Looking, Session
from crawlers.sight import Seen
from crawlers.surfaces import Official
from custody.model import Hop, HopKind, Json, Role

TIMEOUT_S = 20.0
_ENDINGS = {"application/json": "json", "text/html": "html", "application/xml": "xml", "text/xml": "xml"}


async def answered(request: Request, session: Session, looking: Looking, official: Official) -> Response:
    """In place of a download by the browser: what it brings home is where a look's is."""
    request.meta["seen"] = await ask(session, looking, official)
    return Response(request.url, status=200, request=request, flags=["asked"])


async def ask(session: Session, looking: Looking, official: Official) -> Seen:
    """Never raises for what a site does; a disk that is full is no doing of a site's."""
    seen, answer = Seen(), Answer()
    seen.times["requested_at"] = session.clock()
    admitted = session.egress.admit(looking.name)
    token = None if official.credential is None else session.tokens.of(official.credential)
    asked = Ask(
        url=looking.url,
        what=official.surface.value,
        proxy=session.egress.url.removeprefix("http://"),
        pass_=base64.b64encode(f"{admitted.username}:{admitted.password}".encode()).decode(),
        credential=official.credential,
        token=token,
        trust_spki=session.job.trust_spki,
        clock=session.clock,
        is_cut=session.cut.is_set,
        until=time.monotonic() + min(TIMEOUT_S, session.job.timeout_s),
    )
    try:
        await asyncio.to_thread(follow, asked, answer)
    except Unanswered as error:
        seen.fail(error.trouble, str(error))
    except OSError as error:  # what it was, the egress knows better
        seen.fail("no_answer", f"no answer was had ({type(error).__name__})")
    except http.client.HTTPException as error:
        seen.fail("error", f"its answer broke off, or is no HTTP ({type(error).__name__})")
    except ValueError:  # a redirect may name anything
        seen.fail("left_the_web", "it was sent on to what is no address")
    await asyncio.to_thread(_keep, answer, seen, looking, Blotter(token), official)
    seen.times["closed_at"] = session.clock()
    return seen


def _keep(answer: Answer, seen: Seen, looking: Looking, blotter: Blotter, official: Official) -> None:
    """What repeats the token is kept with it blotted out, and said to be so: a record is for others' eyes."""
    seen.asked = {
        "method": "GET",
        "credential": None if official.credential is None else official.credential.variable,
        "blotted": 0,
    }
    for each in answer.certificates:
        looking.keep(Role.TLS_CERT, f"tls-{each.host[:100]}.pem", "application/x-pem-file", tls.pem(each.chain_der))
    seen.certificates = tuple(answer.certificates)
    if not answer.exchanges:
        return
    seen.exchanges = exchanges = tuple(_blotted(each, blotter) for each in answer.exchanges)
    body = blotter.blot(answer.body)
    told = json.dumps([each.to_json() for each in exchanges], ensure_ascii=False, indent=1)
    looking.keep(Role.HEADERS, "headers.json", "application/json", told.encode("utf-8", "replace"))
    last = exchanges[-1]
    seen.http_status, seen.media_type = last.status, last.mime_type
    seen.times["first_response_at"] = exchanges[0].at
    seen.hops = tuple(
        Hop(n=n, from_url=one.url, to_url=other.url, kind=HopKind.HTTP, status=one.status, at=one.at)
        for n, (one, other) in enumerate(pairwise(exchanges), 1)
    )
    seen.reached = seen.trouble is None
    if not seen.reached:
        return
    seen.final_url = last.url
    seen.text = body.decode(last.charset if _is_known(last.charset) else "utf-8", "replace")
    ending = _ENDINGS.get(last.mime_type, "json" if "json" in last.mime_type else "txt")
    is_whole = body == answer.body
    looking.keep(Role.BODY, f"{'body' if is_whole else 'blotted'}.{ending}", last.mime_type, body)
    if not is_whole:
        seen.lacks(Role.BODY, "the answer repeats the token that it was asked with; it is kept with that blotted out")
    blotted: dict[str, Json] = {"blotted": blotter.times}
    seen.asked = {**seen.asked, **blotted}


def _blotted(exchange: Exchange, blotter: Blotter) -> Exchange:
    headers = {blotter.blot_text(name): blotter.blot_text(value) for name, value in exchange.headers.items()}
    return replace(
        exchange,
        headers=headers,
        status_text=blotter.blot_text(exchange.status_text),
        mime_type=blotter.blot_text(exchange.mime_type),
        charset=blotter.blot_text(exchange.charset),
    )


def _is_known(charset: str) -> bool:
    try:
        "".encode(charset)
    except (LookupError, ValueError):
        return False
    return bool(charset)
