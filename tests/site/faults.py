"""Hosts that misbehave: loops, pages that never end, bad TLS, pages that shout, open windows or hand out files."""

import html
from datetime import timedelta

from tests.site.host import Answer, Door, Ending, Host, Request, always, page, redirect

_NAME = "www.misbehave.example"
_HERE = f"https://{_NAME}"
SLOW = timedelta(seconds=8)
"""How long ``slow`` takes to its first byte, unless ``?s=`` says otherwise."""
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)

URLS = {
    "redirect_loop": f"{_HERE}/round/a",
    "redirect_self": f"{_HERE}/round/self",
    "redirect_long": f"{_HERE}/chain?n=40",
    "redirect_nowhere": f"{_HERE}/to-nowhere",
    "redirect_scheme": f"{_HERE}/to-app",
    "refresh_loop": f"{_HERE}/merry/a",
    "refresh_header": f"{_HERE}/refresh-header",
    "script_late": f"{_HERE}/late",
    "never_finishing": f"{_HERE}/never",
    "never_finishing_image": f"{_HERE}/never-image",
    "slow_first_byte": f"{_HERE}/slow",
    "download": f"{_HERE}/catalogue.pdf",
    "download_inline": f"{_HERE}/inline.pdf",
    "cut": f"{_HERE}/cut",
    "empty_answer": f"{_HERE}/empty-answer",
    "huge": f"{_HERE}/huge",
    "tall": f"{_HERE}/tall",
    "alert": f"{_HERE}/alert",
    "pop_ups": f"{_HERE}/pop-ups",
    "stay": f"{_HERE}/stay",
    "no_content": f"{_HERE}/no-content",
    "fault_end": f"{_HERE}/end",
    "tls_garbage": "https://garbage.example/",
    "silent": "https://silent.example/",
    "refused": "https://refused.example/",
    "unresolved": "https://no-such-host.invalid/",
}


def hosts() -> tuple[Host, ...]:
    return (
        Host(
            name=_NAME,
            routes={
                "/round/self": always(redirect(302, "/round/self")),
                "/round/a": always(redirect(302, "/round/b")),
                "/round/b": always(redirect(302, "/round/a")),
                "/chain": _chain,
                "/to-nowhere": always(redirect(302, URLS["unresolved"])),
                "/to-app": always(redirect(302, "glimpse://open?item=4410087712")),
                "/merry/a": always(_refreshing("/merry/b")),
                "/merry/b": always(_refreshing("/merry/a")),
                "/refresh-header": always(page(_text("Moved house"), headers=(("Refresh", f"1; url={_HERE}/end"),))),
                "/late": always(page(_late())),
                "/never": always(Answer(body=_text("Still loading").encode(), ending=Ending.DRIP)),
                "/never-image": always(page(_text("A picture that never comes", '<img src="/drip.png" alt="">'))),
                "/drip.png": always(Answer(body=b"\x89PNG\r\n\x1a\n", media_type="image/png", ending=Ending.DRIP)),
                "/slow": _slow,
                "/catalogue.pdf": always(_pdf('attachment; filename="catalogue.pdf"')),
                "/inline.pdf": always(_pdf("inline")),
                "/cut": always(Answer(body=_text("You will not read the end of this").encode(), ending=Ending.CUT)),
                "/empty-answer": always(Answer(ending=Ending.EMPTY)),
                "/huge": _huge,
                "/tall": always(page(_tall())),
                "/alert": always(page(_alert())),
                "/pop-ups": always(page(_pop_ups())),
                "/pop": always(page(_text("A window nobody asked for"))),
                "/stay": always(page(_stay())),
                "/no-content": always(Answer(status=204, media_type=None)),
                "/end": always(page(_text("The end of the road"))),
            },
        ),
        Host(name="garbage.example", door=Door.GARBAGE),
        Host(name="silent.example", door=Door.SILENT),
        Host(name="refused.example", door=Door.REFUSED),
    )


def _text(title: str, more: str = "", head: str = "") -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>{head}</head>\n'
        f"<body>\n<h1>{title}</h1>\n<p>This page misbehaves on purpose.</p>\n{more}\n</body>\n</html>\n"
    )


def _chain(asked: Request) -> Answer:
    """A chain that ends, but longer than a browser has patience for (Chromium: 20)."""
    left = int(asked.query.get("n", "0"))
    return redirect(302, f"/chain?n={left - 1}" if left > 0 else "/end")


def _refreshing(target: str) -> Answer:
    return page(_text("Round and round", head=f'<meta http-equiv="refresh" content="0; url={target}">'))


def _late() -> str:
    """Three seconds of a page that looks done, then another place."""
    return _text("Welcome, look around", f'<script>setTimeout(() => location.replace("{_HERE}/end"), 3000)</script>')


def _slow(asked: Request) -> Answer:
    seconds = float(asked.query.get("s", SLOW.total_seconds()))
    return Answer(body=_text("Sorry to keep you").encode(), delay_s=seconds)


def _pdf(disposition: str) -> Answer:
    return Answer(body=_PDF, media_type="application/pdf", headers=(("Content-Disposition", disposition),))


def _huge(_: Request) -> Answer:
    """12 MB of markup, most of it seen by nobody; made only when asked for."""
    line = html.escape("screw bracelet for women, gold colour, with screwdriver; ") * 20
    hidden = "".join(f"<div hidden>{n} {line}</div>\n" for n in range(10_000))
    return page(_text("A great deal of page", f"<p>{line}</p>\n{hidden}"))


def _tall() -> str:
    """40,000 px: taller than a GPU texture (16,384 px), where full-page screenshots go blank or repeat."""
    rows = "".join(
        f'<div style="height:1000px;background:hsl({n * 9} 45% 80%);font:60px sans-serif;padding:20px">Row {n}</div>\n'
        for n in range(40)
    )
    return _text("A very long page", rows)


def _alert() -> str:
    return _text(
        "Hello?",
        "<p id=after>not yet</p><script>alert('Wait!'); confirm('Sure?'); prompt('Name?');"
        "document.getElementById('after').textContent = 'All dialogs answered';</script>",
    )


def _pop_ups() -> str:
    script = (
        "for (let n = 0; n < 5; n++) window.open('/pop?n=' + n);"
        "document.body.onclick = () => window.open('/pop?n=click');"
    )
    return _text("So many windows", f"<script>{script}</script>")


def _stay() -> str:
    """Asks before it lets go, and prints itself."""
    return _text(
        "Please stay",
        "<script>addEventListener('beforeunload', (e) => { e.preventDefault(); e.returnValue = 'x'; });"
        "print();</script>",
    )
