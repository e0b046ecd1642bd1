"""The pages, each a router in a file of its own; and the bar at the top."""

from fastapi import APIRouter

from console.web.pages import api, captures, capturing, cases, files, reviewing, start

ROUTERS: tuple[APIRouter, ...] = (
    start.router,
    cases.router,
    captures.router,
    files.router,
    capturing.router,
    reviewing.router,
    api.router,
)
APIS: tuple[APIRouter, ...] = (api.api,)
"""Of the JSON API, each below ``/api/v1``."""
BAR: tuple[tuple[str, str], ...] = (("/", "Cases"), ("/capture-now", "Capture now"), ("/api", "API"))
"""Address and word."""
