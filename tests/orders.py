"""A host whose page says little itself, and fills in what a script asks for by other means than ``GET``."""

import json

from tests.site.host import Answer, Host, Request

HOST = "orders.example"
URL = f"https://{HOST}/p/1"
SAID = ("the form said Żółta 2", "the document said [1, 2]", "the put said hello", "the pieces said one")
_PAGE = """<!doctype html><meta charset=utf-8><title>Orders</title>
<p>This page asks its own server for most of what it shows, as many shops do, and waits for the answers.
<ul id=said></ul>
<script>
const ask = (path, method, body, type) => fetch(path, {method, body, headers: type ? {'Content-Type': type} : {}})
  .then(answer => answer.text()).then(text => {
    const line = document.createElement('li'); line.textContent = text; document.getElementById('said').append(line);
  });
const pieces = new FormData(); pieces.set('piece', 'one');
ask('/form', 'POST', new URLSearchParams({what: 'Żółta', many: 2}));
ask('/document', 'POST', JSON.stringify({wanted: [1, 2], all: false}), 'application/json');
ask('/put', 'PUT', 'hello', 'application/octet-stream');
ask('/pieces', 'POST', pieces);
ask('/form', 'GET');
</script>"""  # fmt: skip


def host() -> Host:
    def form(request: Request) -> Answer:
        if request.method == "GET":
            return _text("the form was not sent")
        return _text(f"the form said {request.query['what']} {request.query['many']}")

    def document(request: Request) -> Answer:
        return _text(f"the document said {json.loads(request.body)['wanted']}")

    def pieces(request: Request) -> Answer:
        return _text(f"the pieces said {'one' if b'one' in request.body else 'nothing'}")

    page = Answer(body=_PAGE.encode(), media_type="text/html; charset=utf-8")
    routes = {
        "/p/1": lambda _: page,
        "/form": form,
        "/document": document,
        "/put": lambda request: _text(f"the put said {request.body.decode()}"),
        "/pieces": pieces,
    }
    return Host(name=HOST, routes=routes)


def _text(said: str) -> Answer:
    return Answer(body=said.encode(), media_type="text/plain; charset=utf-8")
