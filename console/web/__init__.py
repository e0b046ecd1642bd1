"""The console's web application: the archive browsed by its manifest.

To add a page:

1. One file in ``console/web/pages/`` with ``router = APIRouter()``, and one line for it in ``pages.ROUTERS``
   (``console/web/pages/__init__.py``). For the JSON API, ``api = APIRouter()`` in the same file, and a line in
   ``pages.APIS``.
2. A page takes ``holdings: HoldingsHere`` (``console.web.holdings``) and nothing else of the archive: it is what this
   viewer may see. ``holdings.scopes`` is the set of cases for a query's own filter (None: all).
   ``holdings.case(scope)`` and ``holdings.entry(capture_id)`` raise ``Missing`` for what is not there and for what is
   somebody else's alike; ``holdings.require(scope, Right.REVIEWER)`` asks for more than looking. ``holdings.archive``
   has reader, catalogue, ``kept`` and ``leaves``, for what is nobody's evidence (checkpoints, proofs).
3. It answers with ``render(request, "name.html", **values)`` (``console.web.rendering``); its template extends
   ``base.html`` and fills ``{% block main %}``. A page of its own in the bar at the top: a line in ``pages.BAR``.
4. No inline script and no inline style: the policy of each answer forbids both. A script is one small file in
   ``static/``, named by ``{% block scripts %}``; the page must work without it. Times print by ``|when(zone)``, digests
   by ``|digest``, addresses of strangers as text by ``|address`` and never as links.
5. A form posts with ``{{ csrf() }}`` in it. Every path wants a signed-in viewer, but those in ``guard.OPEN``.
6. Its test opens it in a real browser: ``tests/console/web/opened.py`` checks axe, console errors, outside requests.
"""
