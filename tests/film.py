"""A host with a short film, made by the project's own Chromium, and served by ranges as such hosts do."""

import base64
import re
from functools import cache

from tests.replaying import browser
from tests.site.host import Answer, Host, Request

HOST = "films.example"
URL = f"https://{HOST}/p/1"
SIZE = 160
"""Width of the picture, in pixels."""
_PAGE = f"""<!doctype html><title>A film</title><p>A bracelet, shown from all sides in a short film of two seconds.
<video src="/film.webm" width="{SIZE}" muted autoplay loop preload="auto"></video>"""
_RECORD = """async size => {
  const canvas = Object.assign(document.createElement('canvas'), {width: size, height: size});
  const pen = canvas.getContext('2d'), parts = [];
  const recorder = new MediaRecorder(canvas.captureStream(25), {mimeType: 'video/webm;codecs=vp8'});
  recorder.ondataavailable = each => parts.push(each.data);
  const over = new Promise(done => { recorder.onstop = done; });
  let n = 0;
  const drawing = setInterval(() => {
    pen.fillStyle = `hsl(${n * 7}, 80%, 50%)`; pen.fillRect(0, 0, size, size);
    pen.fillStyle = '#fff'; pen.fillRect(n++ * 3 % size, 20, 30, 30);
  }, 40);
  recorder.start();
  await new Promise(done => setTimeout(done, 2000));
  recorder.stop(); clearInterval(drawing);
  await over;
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, each => String.fromCharCode(each)).join(''));
}"""


@cache
def film() -> bytes:
    with browser() as chromium:
        page = chromium.new_page()
        data = base64.b64decode(page.evaluate(_RECORD, SIZE))
        page.close()
    return data


def host() -> Host:
    def ranged(request: Request) -> Answer:
        data = film()
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return Answer(body=data, media_type="video/webm", headers=(("Accept-Ranges", "bytes"),))
        first, last = int(asked[1]), min(int(asked[2] or len(data) - 1), len(data) - 1)
        told = ("Content-Range", f"bytes {first}-{last}/{len(data)}")
        return Answer(
            status=206,
            body=data[first : last + 1],
            media_type="video/webm",
            headers=(("Accept-Ranges", "bytes"), told),
        )

    page = Answer(body=_PAGE.encode(), media_type="text/html; charset=utf-8")
    return Host(name=HOST, routes={"/p/1": lambda _: page, "/film.webm": ranged})
