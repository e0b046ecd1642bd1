"""The photographs of the make-believe network, drawn by arithmetic; run as a module it draws them all anew."""

import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "content" / "cdn.glimpsestatic.example" / "photo"

Colour = tuple[float, float, float]
Point = tuple[float, float]
Layer = Callable[[float, float], tuple[Colour, float]]
"""Colour and cover (0..1) at a point; x and y run from -1 to 1 across the width, y growing downwards."""

GOLD: Colour = (0.86, 0.67, 0.33)
ROSE: Colour = (0.87, 0.60, 0.50)
STEEL: Colour = (0.76, 0.78, 0.81)
_EDGE = 0.008


def encode(width: int, height: int, pixels: bytes) -> bytes:
    """PNG (ISO/IEC 15948): 8-bit RGB, each row filtered by Sub or Up, whichever leaves less."""
    stride = width * 3
    above = bytes(stride)
    rows = bytearray()
    for start in range(0, stride * height, stride):
        row = pixels[start : start + stride]
        left = bytes(3) + row[:-3]
        choices = [(1, bytes((a - b) & 255 for a, b in zip(row, left, strict=True)))]
        choices.append((2, bytes((a - b) & 255 for a, b in zip(row, above, strict=True))))
        kind, best = min(choices, key=lambda choice: sum(min(byte, 256 - byte) for byte in choice[1]))
        rows += bytes([kind]) + best
        above = row
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def decode(data: bytes) -> tuple[int, int, bytes]:
    """What ``encode`` wrote, and no other PNG: width, height, pixels."""
    width, height = struct.unpack_from(">II", data, 16)
    body, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            body += data[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(body), width * 3
    above, rows = bytes(stride), []
    for start in range(0, len(raw), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        for i in range(stride):
            before = (row[i - 3] if i >= 3 else 0) if raw[start] == 1 else above[i]
            row[i] = (row[i] + before) & 255
        above = bytes(row)
        rows.append(above)
    return width, height, b"".join(rows)


def render(width: int, height: int, *layers: Layer) -> bytes:
    pixels = bytearray()
    for j in range(height):
        y = (2 * j + 1 - height) / width
        for i in range(width):
            x = (2 * i + 1) / width - 1
            red = green = blue = 0.0
            for layer in layers:
                (r, g, b), cover = layer(x, y)
                red, green, blue = red + (r - red) * cover, green + (g - green) * cover, blue + (b - blue) * cover
            pixels += bytes(max(0, min(255, round(value * 255))) for value in (red, green, blue))
    return encode(width, height, bytes(pixels))


def step(distance: float, width: float = _EDGE) -> float:
    """1 well inside (negative distance), 0 well outside, smooth between."""
    t = max(0.0, min(1.0, 0.5 - distance / (2 * width)))
    return t * t * (3 - 2 * t)


def mix(a: Colour, b: Colour, t: float) -> Colour:
    t = max(0.0, min(1.0, t))
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def scale(colour: Colour, by: float) -> Colour:
    return (min(1.0, colour[0] * by), min(1.0, colour[1] * by), min(1.0, colour[2] * by))


def plain(top: Colour, bottom: Colour) -> Layer:
    return lambda _, y: (mix(top, bottom, (y + 1) / 2), 1.0)


def linen(colour: Colour) -> Layer:
    """Cloth: a weave and two slow folds."""

    def at(x: float, y: float) -> tuple[Colour, float]:
        weave = math.sin(x * 150) * math.sin(y * 150) * 0.018
        folds = 0.05 * math.sin(2.1 * x + 1.4 * y + 0.6) + 0.03 * math.sin(5 * y - 1.7 * x)
        return scale(colour, 1 + weave + folds), 1.0

    return at


def blob(x0: float, y0: float, rx: float, ry: float, colour: Colour, *, soft: float = _EDGE, cover: float = 1) -> Layer:
    def at(x: float, y: float) -> tuple[Colour, float]:
        d = (math.hypot((x - x0) / rx, (y - y0) / ry) - 1) * min(rx, ry)
        return colour, cover * step(d, soft)

    return at


def bar(start: Point, end: Point, radius: float, colour: Colour, *, round_light: float = 0.0) -> Layer:
    """A rounded bar from one point to another; ``round_light`` shades it as a cylinder."""
    (x0, y0), (x1, y1) = start, end

    def at(x: float, y: float) -> tuple[Colour, float]:
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = max(0.0, min(1.0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length))
        dx, dy = x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)
        d = math.hypot(dx, dy)
        side = (dx * 0.8 + dy * 0.6) / radius
        return scale(colour, 1 - round_light * max(-1.0, min(1.0, side))), step(d - radius)

    return at


def box(x0: float, y0: float, rx: float, ry: float, colour: Colour) -> Layer:
    """A box lit from the left, with corners a little worn."""

    def at(x: float, y: float) -> tuple[Colour, float]:
        dx, dy = max(abs(x - x0) - rx + 0.03, 0.0), max(abs(y - y0) - ry + 0.03, 0.0)
        return scale(colour, 1 - 0.14 * (x - x0) / rx), step(math.hypot(dx, dy) - 0.03)

    return at


@dataclass(frozen=True, kw_only=True, slots=True)
class Bangle:
    """A flat oval band with screw heads, seen a little from above."""

    x: float = 0.0
    y: float = 0.0
    radius: float = 0.62
    tilt: float = 0.36
    height: float = 0.17
    metal: Colour = GOLD

    def shadow(self) -> Layer:
        low = self.y + self.radius * self.tilt * 0.35 + self.height * 0.55
        return blob(
            self.x + 0.05,
            low,
            self.radius * 1.08,
            self.radius * self.tilt * 1.3,
            (0.16, 0.12, 0.1),
            soft=0.28,
            cover=0.42,
        )

    def back(self) -> Layer:
        """The inner wall, far side: in its own shade."""
        return self._wall(-1, 0.62)

    def front(self) -> Layer:
        return self._wall(1, 1.0)

    def layers(self) -> tuple[Layer, Layer, Layer]:
        return self.shadow(), self.back(), self.front()

    def _wall(self, side: int, light: float) -> Layer:
        def at(x: float, y: float) -> tuple[Colour, float]:
            u = (x - self.x) / self.radius
            if abs(u) >= 1:
                return self.metal, 0.0
            v = y - self.y - side * self.radius * self.tilt * math.sqrt(1 - u * u)
            cover = step(abs(v) - self.height / 2)
            if not cover:
                return self.metal, 0.0
            angle = math.asin(u)
            bands = 0.72 + 0.34 * math.cos(3 * angle + 0.5) ** 2 + 0.25 * math.exp(-(((angle + 0.55) / 0.16) ** 2))
            colour = scale(self.metal, light * bands * (1 - 0.25 * abs(u) ** 3))
            rim = step(abs(abs(v) - self.height / 2 + 0.012) - 0.008)
            colour = mix(colour, scale(self.metal, 1.35 * light), 0.7 * rim)
            if side > 0:
                colour = self._screws(angle, v, colour)
            return colour, cover

        return at

    def _screws(self, angle: float, v: float, colour: Colour) -> Colour:
        nearest = round(angle / 0.72)
        across = (angle - nearest * 0.72) * self.radius * 0.92
        d = math.hypot(across, v)
        head = self.height * 0.26
        colour = mix(colour, scale(self.metal, 0.55), step(abs(d - head) - 0.006))
        turn = 0.5 + nearest * 0.9
        slot = abs(across * math.sin(turn) - v * math.cos(turn))
        return mix(colour, scale(self.metal, 0.42), step(slot - 0.009) * step(d - head * 0.9))


def _hero() -> bytes:
    return render(360, 396, linen((0.91, 0.86, 0.79)), *Bangle(y=0.05).layers())


def _wrist() -> bytes:
    ring = Bangle(y=0.12, radius=0.44, tilt=0.22, height=0.13)
    arm = bar((-0.06, -1.5), (0.08, 1.6), 0.38, (0.84, 0.64, 0.52), round_light=0.22)
    sleeve = bar((-0.16, -1.9), (-0.1, -1.0), 0.5, (0.93, 0.92, 0.9), round_light=0.12)
    return render(360, 396, plain((0.66, 0.72, 0.7), (0.5, 0.57, 0.57)), ring.back(), arm, sleeve, ring.front())


def _coffee() -> bytes:
    cup = [
        blob(0.42, -0.42, 0.47, 0.47, (0.2, 0.14, 0.1), soft=0.2, cover=0.4),
        blob(0.38, -0.46, 0.46, 0.46, (0.93, 0.92, 0.9)),
        blob(0.38, -0.46, 0.4, 0.4, (0.84, 0.83, 0.81)),
        blob(0.38, -0.46, 0.3, 0.3, (0.98, 0.98, 0.97)),
        blob(0.38, -0.46, 0.26, 0.26, (0.42, 0.26, 0.16)),
        blob(0.36, -0.48, 0.17, 0.15, (0.8, 0.64, 0.48), soft=0.09),
        blob(0.33, -0.51, 0.07, 0.06, (0.95, 0.88, 0.78), soft=0.05),
    ]
    return render(360, 360, linen((0.44, 0.31, 0.24)), *cup, *Bangle(x=-0.3, y=0.45, radius=0.46, height=0.13).layers())


def _listing() -> bytes:
    driver = [
        bar((0.3, 0.68), (0.62, 0.68), 0.035, STEEL, round_light=0.3),
        bar((-0.1, 0.68), (0.28, 0.68), 0.07, GOLD, round_light=0.35),
    ]
    return render(360, 360, plain((1, 1, 1), (0.95, 0.95, 0.96)), *Bangle(y=-0.12, radius=0.66).layers(), *driver)


def _three() -> bytes:
    rings = [
        Bangle(y=y, radius=0.56, height=0.14, metal=metal) for y, metal in ((0.42, STEEL), (0.0, ROSE), (-0.42, GOLD))
    ]
    layers = [layer for ring in rings for layer in ring.layers()]
    return render(360, 360, plain((0.99, 0.98, 0.97), (0.93, 0.92, 0.92)), *layers)


def _beach() -> bytes:
    def sea(x: float, y: float) -> tuple[Colour, float]:
        glitter = max(0.0, math.sin(90 * y + 6 * math.sin(9 * x))) ** 6 * math.exp(-((x - 0.1) ** 2) * 9)
        return mix((0.2, 0.4, 0.5), (1, 0.85, 0.6), 0.8 * glitter), step(0.12 - y)

    sand = blob(-0.4, 1.5, 1.7, 0.8, (0.83, 0.7, 0.54), soft=0.05)
    sky = plain((0.35, 0.42, 0.62), (1.0, 0.72, 0.47))
    return render(360, 360, sky, blob(0.1, 0.05, 0.17, 0.17, (1, 0.93, 0.75), soft=0.03), sea, sand)


def _leaves() -> bytes:
    stems: list[Layer] = []
    for n in range(11):
        turn = -1.35 + n * 0.27
        x, y = math.sin(turn) * 0.62, 0.35 - math.cos(turn) * (0.85 - 0.1 * (n % 3))
        green = (0.2 + 0.03 * (n % 4), 0.42 + 0.05 * (n % 3), 0.26)
        stems.append(bar((0, 0.42), (x, y), 0.085 - 0.01 * (n % 3), green, round_light=0.3))
    pot = [blob(0, 0.62, 0.33, 0.3, (0.74, 0.43, 0.31)), bar((-0.3, 0.42), (0.3, 0.42), 0.06, (0.8, 0.5, 0.37))]
    return render(360, 360, plain((0.93, 0.92, 0.88), (0.84, 0.82, 0.76)), *stems, *pot)


def _hoops() -> bytes:
    rings = (
        Bangle(x=-0.45, radius=0.32, tilt=0.85, height=0.07),
        Bangle(x=0.45, y=0.1, radius=0.32, tilt=0.85, height=0.07),
    )
    return render(360, 360, linen((0.73, 0.76, 0.79)), *(layer for ring in rings for layer in ring.layers()))


def _parcel() -> bytes:
    parts = [
        blob(0.05, 0.62, 0.75, 0.2, (0.1, 0.1, 0.1), soft=0.2, cover=0.4),
        box(0, 0.24, 0.66, 0.44, (0.72, 0.6, 0.47)),
        box(0, -0.1, 0.7, 0.1, (0.79, 0.68, 0.55)),
        box(0, 0.24, 0.075, 0.44, (0.31, 0.45, 0.42)),
        box(0, -0.1, 0.08, 0.1, (0.35, 0.5, 0.47)),
        blob(-0.17, -0.28, 0.19, 0.1, (0.36, 0.52, 0.48)),
        blob(0.17, -0.28, 0.19, 0.1, (0.3, 0.45, 0.41)),
    ]
    return render(360, 360, linen((0.84, 0.83, 0.8)), *parts)


def swatch() -> bytes:
    """A small bangle, cheap enough for a test to draw again."""
    return render(96, 96, plain((0.97, 0.96, 0.94), (0.9, 0.88, 0.85)), *Bangle(radius=0.72, height=0.22).layers())


PICTURES: dict[str, Callable[[], bytes]] = {
    "bracelet-linen": _hero,
    "bracelet-wrist": _wrist,
    "bracelet-coffee": _coffee,
    "bracelet-listing": _listing,
    "bracelet-three": _three,
    "beach": _beach,
    "leaves": _leaves,
    "hoops": _hoops,
    "parcel": _parcel,
    "swatch": swatch,
}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.png").write_bytes(draw())


if __name__ == "__main__":
    main()
