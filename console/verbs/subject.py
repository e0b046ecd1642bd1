"""``counterproof subject``: what is held on whom."""

import os
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import print_json, sentences


def subject(
    find: Annotated[str, typer.Argument(metavar="HANDLE|URL|NAME", help="An account's handle, its page, or a name.")],
    *,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is held on an account or a person, by case, with each case's purpose, basis and review.

    Looked through are addresses, the fields of readings that say whose page it is or who sells, and, where neither
    names them, the words of the page. Pictures are not looked through. Nothing is fetched and nothing recorded.

      counterproof subject @mirabelle.finds

    Exit codes: 0 also where nothing is held, 2 usage, 6 the store.
    """
    from console import subject as looked
    from console.kept import open_kept

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        with open_kept(config) as kept:
            matters, unread = looked.find(kept, find)
        if as_json:
            print_json(looked.document(find, matters, unread))
        else:
            looked.tell(find, matters, unread)
