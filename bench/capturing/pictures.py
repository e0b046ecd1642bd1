"""Photographs for pages that are measured: as heavy as real ones, and the same bytes each time.

Real JPEGs, since most of a picture's cost is its decoding, and grainy, since a photograph cannot be packed further.
"""

import io
import random

from PIL import Image

SIDE_PX = 960
_CONTRAST = 0.3
_QUALITIES = {True: (15, 85), False: (15, 55)}
"""Of the large pictures of a post, and of a listing's."""


def photograph(name: str, *, large: bool) -> bytes:
    """A JPEG of 960 x 960 and 50 to 200 KB, in colours, by its name alone."""
    draw = random.Random(name)  # noqa: S311  # pixels
    grain = draw.randrange(180, 300, 4)
    rough = Image.frombytes("L", (grain, grain), draw.randbytes(grain * grain))
    luma = rough.point(lambda level: int(128 + (level - 128) * _CONTRAST))
    chroma = [Image.frombytes("L", (12, 12), draw.randbytes(144)) for _ in range(2)]
    bands = [each.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC) for each in (luma, *chroma)]
    out = io.BytesIO()
    quality = draw.randrange(*_QUALITIES[large])
    Image.merge("YCbCr", bands).save(out, "JPEG", quality=quality, subsampling="4:2:0")
    return out.getvalue()
