"""The pictures that a capture kept in its traffic, as whoever compares captures reads them: from the store, checked."""

from pathlib import Path

from archive.config import ArchiveConfig
from archive.derived import Derived
from archive.vault import Vault
from console.kept import open_kept
from crawlers import run
from custody.digest import Digest
from custody.model import Role
from findings.resemblance import matches
from tests.archive.deployment import now
from tests.archive.packaging.traffic import warc
from tests.archive.runs import began, recorded, stored
from tests.crawlers.pictures.drawing import file_of
from tests.findings.painting import cropped, mirrored, paint

BAG, SCENE = paint("goods", 4), paint("scene", 3)
POST = {
    "https://cdn.example/post.jpg": file_of(SCENE, "JPEG", quality=85),
    "https://cdn.example/face.png": file_of(BAG),
}
SHOP = {
    "https://img.shop.example/1.webp": file_of(cropped(SCENE, 0.1).resize((600, 400)), "WEBP", quality=70),
    "https://img.shop.example/2.jpg": file_of(mirrored(BAG), "JPEG"),
    "https://img.shop.example/3.jpg": file_of(paint("goods", 5), "JPEG"),
    "https://img.shop.example/pixel.gif": file_of(SCENE.resize((1, 1)), "GIF"),
}


def capture_of(vault: Vault, pictures: dict[str, bytes]) -> str:
    acquisition = vault.begin("Matter 12", {}, None)
    unit = acquisition.new_id()
    started = began(acquisition, unit)
    traffic = warc(*(("GET", url, "200 OK", data) for url, data in pictures.items()))
    file = acquisition.visit_spool(unit).write(Role.WARC, "traffic.warc.gz", "application/warc", traffic)
    recorded(acquisition, unit, started, stored(acquisition, file))
    vault.finish(acquisition, lost=(), unfinished=(), interrupted=False, notices=())
    return unit


def test_a_post_s_pictures_are_found_in_the_listing(tmp_path: Path) -> None:
    config = ArchiveConfig.load({}, home=tmp_path / "home", store_url=f"file:{tmp_path / 'store'}")
    with Vault.open(config, clock=now) as vault:
        units = [capture_of(vault, pictures) for pictures in (POST, SHOP)]
    prints = []
    with (
        open_kept(config) as kept,
        run.Printer(Derived.open(tmp_path / "home" / "cache", "prints", run.PRINTS_MAKER)) as printer,
    ):
        for unit in units:
            (artifact,) = (each for each in kept.record(unit).artifacts if each.role == Role.WARC)
            with kept.file(artifact.digest) as stream:
                sheet = printer.sheet([stream])
            prints.append({each.url: each.print for each in sheet.pictures if each.print is not None})
            last = sheet
    assert (len(last.pictures), last.small) == (3, 1)
    assert last.pictures[1].digest == Digest.of(SHOP["https://img.shop.example/2.jpg"])
    found = [(ours, theirs, each.is_mirrored, each.theirs, each.ours) for ours, theirs, each in matches(*prints)]
    assert found == [
        ("https://cdn.example/face.png", "https://img.shop.example/2.jpg", True, "whole", "whole"),
        ("https://cdn.example/post.jpg", "https://img.shop.example/1.webp", False, "whole", "inner_91"),
    ]
