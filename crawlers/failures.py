"""Error pages: a server's, a firewall's or a shop's "something went wrong" in place of what was asked for."""

import re
from collections.abc import Mapping

from crawlers.saved import Saved, dig, line_of
from custody.model import Outcome

MOST_TEXT = 1_200
"""Characters; a page that says more is about something."""
_NUMBERED = re.compile(
    r"\W*(?:http\s*)?(?:error|fehler|erreur|errore|erro|ошибка|hata)?[\s:#-]*([45]\d\d)"
    r"(?=\s*(?:$|[-–—:|•·!.(]|error|not found|forbidden|unauthori[sz]ed|bad|internal|service|too many|gateway))",
    re.IGNORECASE,
)
_SENTENCES = (
    r"something went wrong", r"an error (?:has )?occurred", r"service (?:temporarily )?unavailable", r"bad gateway",
    r"gateway time-?out", r"internal server error", r"access (?:to this page has been )?denied", r"forbidden",
    r"request blocked", r"the request could not be satisfied", r"web server is down", r"attention required",
    r"origin is unreachable", r"site maintenance", r"oops[!,.]?\s+something", r"es ist ein fehler aufgetreten",
    r"zugriff verweigert", r"une erreur (?:est survenue|s['’]est produite)", r"accès refusé", r"acceso denegado",
    r"se ha producido un error", r"si è verificato un errore", r"accesso negato", r"ocorreu um erro",
    r"er is iets misgegaan", r"wystąpił błąd", r"произошла ошибка", r"доступ запрещ[её]н", r"エラーが発生しました",
    r"页面出错", r"访问被拒绝", r"(?:404\W*)?page not found", r"seite nicht gefunden", r"page introuvable",
    r"página no encontrada", r"pagina non trovata", r"página não encontrada", r"страница не найдена",
)  # fmt: skip
_SAID = re.compile(rf"\W*(?:sorry[!,.]?\s*)?(?:{'|'.join(_SENTENCES)})", re.IGNORECASE)
_TOO_MANY = 429
_ERRORS = range(400, 600)
_EXCUSES = frozenset(
    ("error", "errors", "message", "detail", "status", "code", "data", "extensions", "documentation_url", "success")
)
"""Keys of an answer that has nothing but why there is none."""


def failure(page: Saved) -> Outcome | None:
    """By the status where it was kept; else by a thin page whose title, heading or first picture says nothing else."""
    if page.status is not None and page.status >= 400:
        return Outcome.RATE_LIMITED if page.status == _TOO_MANY else Outcome.HTTP_ERROR
    if page.json is not None:
        return _of_answer(page)
    if len(page.shown_text) > MOST_TEXT:
        return None
    titled = page.first("//head/title")
    heads = ["" if titled is None else " ".join("".join(titled.itertext()).split())]
    heads += [line_of(each) for each in page.all("//h1|//h2")[:3]]
    if not any(heads[1:]):
        heads += [str(each) for each in page.all("//body//img/@alt")[:3]]
    for head in heads:
        numbered = _NUMBERED.match(head)
        if numbered is not None or _SAID.match(head):
            many = numbered is not None and int(numbered[1]) == _TOO_MANY
            return Outcome.RATE_LIMITED if many else Outcome.HTTP_ERROR
    return None


def _of_answer(page: Saved) -> Outcome | None:
    """``{"error": {"code": 403}}``, ``{"status": 404, "error": "Not Found"}``, or ``errors`` and nothing else."""
    value = page.json
    if not isinstance(value, Mapping):
        return None
    ways = (("error", "code"), ("error", "status"), ("status",), ("statusCode",), ("error",), ("code",))
    codes = [dig(value, *way) for way in ways]
    code = next(
        (each for each in codes if isinstance(each, int) and not isinstance(each, bool) and 400 <= each < 600), None
    )
    if code is not None:
        return Outcome.RATE_LIMITED if code == _TOO_MANY else Outcome.HTTP_ERROR
    said = next((value[key] for key in ("error", "errors", "message", "detail") if value.get(key)), None)
    if said is None or value.get("data") or not set(value) <= _EXCUSES:
        return None
    return Outcome.RATE_LIMITED if re.search(r"rate.?limit|too many", str(said), re.IGNORECASE) else Outcome.HTTP_ERROR
