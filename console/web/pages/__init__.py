"""The pages, each a router in a file of its own; and the bar at the top."""

from fastapi import APIRouter

from console.web.pages import (
    api,
    captures,
    capturing,
    cases,
    files,
    graphs,
    manifest,
    replaying,
    reviewing,
    searching,
    start,
    timelines,
    witnessing,
)

ROUTERS: tuple[APIRouter, ...] = (
    start.router,
    searching.router,
    captures.router,
    cases.router,
    files.router,
    replaying.router,
    capturing.router,
    reviewing.router,
    witnessing.router,
    timelines.router,
    graphs.router,
    manifest.router,
    api.router,
)
"""Those that are asked for most come first: they are gone through one by one."""
APIS: tuple[APIRouter, ...] = (api.api, searching.api, timelines.api, graphs.api, manifest.api)
"""Of the JSON API, each below ``/api/v1``."""
BAR: tuple[tuple[str, str], ...] = (
    ("/", "Cases"),
    ("/search", "Search"),
    ("/timeline", "Timeline"),
    ("/log", "Manifest"),
    ("/capture-now", "Capture now"),
    ("/api", "API"),
)
"""Address and word."""
