"""A page written by hand in 1998 and never since: tables, ISO-8859-2, Polish, plain HTTP, and a friend's shop."""

from pathlib import Path

from tests.site.host import Door, Host

_HERE = Path(__file__).parent

URLS = {
    "table_page": "http://www.bizuteria-u-hani.example/",
    "table_listing": "https://www.srebrnasroka.example/bransoletka.htm",
}


def hosts() -> tuple[Host, ...]:
    return (
        Host(name="www.bizuteria-u-hani.example", door=Door.HTTP, folder=_HERE / "www.bizuteria-u-hani.example"),
        Host(name="www.srebrnasroka.example", folder=_HERE / "www.srebrnasroka.example"),
    )
