"""The pages, each a router in a file of its own; and the bar at the top."""

from fastapi import APIRouter

from console.web.pages import captures, cases, files, graphs, manifest, searching, start, timelines

ROUTERS: tuple[APIRouter, ...] = (
    start.router,
    cases.router,
    captures.router,
    files.router,
    searching.router,
    timelines.router,
    graphs.router,
    manifest.router,
)
APIS: tuple[APIRouter, ...] = (searching.api, timelines.api, graphs.api, manifest.api)
"""Of the JSON API, each below ``/api/v1``."""
BAR: tuple[tuple[str, str], ...] = (
    ("/", "Cases"),
    ("/search", "Search"),
    ("/timeline", "Timeline"),
    ("/log", "Manifest"),
)
"""Address and word."""
