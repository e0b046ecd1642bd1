"""The pages, each a router in a file of its own; and the bar at the top."""

from fastapi import APIRouter

from console.web.pages import captures, cases, files, start

ROUTERS: tuple[APIRouter, ...] = (
    start.router,
    cases.router,
    captures.router,
    files.router,
)
APIS: tuple[APIRouter, ...] = ()
"""Of the JSON API, each below ``/api/v1``."""
BAR: tuple[tuple[str, str], ...] = (("/", "Cases"),)
"""Address and word."""
