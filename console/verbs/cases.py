"""``counterproof case``: what a case is about: new, edit, show, list."""

import os
from pathlib import Path
from typing import Annotated

import typer

from archive.config import ArchiveConfig
from archive.errors import UsageError
from console.options import HomeOption, JsonOption, StoreOption
from console.screen import sentences

app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Say what a case is about: brand terms, registrations, sellers that may sell, reference prices and pictures, "
        "purpose, legal basis, retention.\n\n"
        "Start with:  counterproof case new acme --title 'Copies of the Orvane ring' --term Orvane\n\n"
        "Every change is a version of its own; what is found later names the version it was found under. All of it is "
        "in blobs that can be disposed of, never in the log, and no export carries it. More: docs/cases.md"
    ),
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The case, as `capture --case` names it.")]
TitleOption = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="What it is about, in one line.")]
MatterNumberOption = Annotated[
    str | None, typer.Option("--matter", metavar="TEXT", help="The matter's number, as your office counts.")
]
TermOption = Annotated[
    list[str] | None, typer.Option("--term", metavar="TERM", help="A brand's name, as it is written. Repeatable.")
]
ProductOption = Annotated[
    list[str] | None, typer.Option("--product", metavar="TERM", help="A product's name, likewise. Repeatable.")
]
FormOption = Annotated[
    list[str] | None,
    typer.Option("--form", metavar="TERM=FORM", help="Another spelling or script of a term. Repeatable."),
]
RegistrationOption = Annotated[
    list[str] | None,
    typer.Option("--registration", metavar="TEXT", help="A mark or design, with number and class. Repeatable."),
]
AuthorisedOption = Annotated[
    list[str] | None,
    typer.Option("--authorised", metavar="HOST|SELLER", help="Who may sell: a host or a seller's id. Repeatable."),
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option("--price", metavar="'TERM=6900 EUR'", help="What the genuine thing costs. Repeatable."),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold",
        metavar="NAME=NUMBER",
        help="picture_distance (0 to 256 bits) or price_ratio (0 to 1). Repeatable.",
    ),
]
PictureOption = Annotated[
    list[Path] | None,
    typer.Option("--picture", metavar="FILE", help="A reference picture, 20 MB at most; kept. Repeatable."),
]
ZoneOption = Annotated[
    str | None, typer.Option("--timezone", metavar="NAME", help="Where the case is, such as Europe/Paris.")
]
PurposeOption = Annotated[str | None, typer.Option("--purpose", metavar="TEXT", help="What it is collected for.")]
BasisOption = Annotated[str | None, typer.Option("--legal-basis", metavar="TEXT", help="Why it may be collected.")]
ReviewOption = Annotated[
    str | None,
    typer.Option("--review-by", metavar="DAY", help="When somebody asks whether it is still needed: 2027-01-31."),
]
RetentionOption = Annotated[
    int | None,
    typer.Option("--retention", metavar="DAYS", min=1, max=36_500, help="Keep the case so long, as `retain` does."),
]
FileOption = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE.toml", help="All of it from a file; `case show --toml` writes one."),
]


def _removal(name: str, metavar: str, help_: str) -> typer.models.OptionInfo:
    found: typer.models.OptionInfo = typer.Option(f"--remove-{name}", metavar=metavar, help=help_)
    return found


@app.command()
def new(
    context: typer.Context,
    name: NameArgument,
    *,
    title: TitleOption = None,
    matter: MatterNumberOption = None,
    term: TermOption = None,
    product: ProductOption = None,
    form: FormOption = None,
    registration: RegistrationOption = None,
    authorised: AuthorisedOption = None,
    price: PriceOption = None,
    threshold: ThresholdOption = None,
    picture: PictureOption = None,
    timezone: ZoneOption = None,
    purpose: PurposeOption = None,
    legal_basis: BasisOption = None,
    review_by: ReviewOption = None,
    retention: RetentionOption = None,
    from_: FileOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open a case and say what it is about, or as much of it as is known today.

    It is signed by a person; where nobody has set up keys, the root key stands for one. A case that `capture --case`
    has opened is there already: say what it is about with `case edit`.

      counterproof case new acme --term Orvane --product 'Orvane ring' --price 'Orvane ring=6900 EUR'
    """
    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        from console.amending import Wishes
        from console.casework import change

        wishes = Wishes(
            title=title,
            matter=matter,
            terms=term or (),
            products=product or (),
            forms=form or (),
            registrations=registration or (),
            authorised=authorised or (),
            prices=price or (),
            thresholds=threshold or (),
            pictures=picture or (),
            timezone=timezone,
            purpose=purpose,
            legal_basis=legal_basis,
            review_by=review_by,
            retention_days=retention,
        )
        code = change(name, wishes, config, context.obj, sheet=from_, new=True, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def edit(
    context: typer.Context,
    name: NameArgument,
    *,
    title: TitleOption = None,
    matter: MatterNumberOption = None,
    term: TermOption = None,
    product: ProductOption = None,
    form: FormOption = None,
    registration: RegistrationOption = None,
    authorised: AuthorisedOption = None,
    price: PriceOption = None,
    threshold: ThresholdOption = None,
    picture: PictureOption = None,
    timezone: ZoneOption = None,
    purpose: PurposeOption = None,
    legal_basis: BasisOption = None,
    review_by: ReviewOption = None,
    retention: RetentionOption = None,
    remove_term: Annotated[list[str] | None, _removal("term", "TERM", "With its forms and prices.")] = None,
    remove_form: Annotated[list[str] | None, _removal("form", "TERM=FORM", "One form of a term.")] = None,
    remove_registration: Annotated[list[str] | None, _removal("registration", "TEXT", "As it is written.")] = None,
    remove_authorised: Annotated[list[str] | None, _removal("authorised", "TEXT", "As it is written.")] = None,
    remove_price: Annotated[list[str] | None, _removal("price", "TERM", "All prices of a term.")] = None,
    remove_threshold: Annotated[list[str] | None, _removal("threshold", "NAME", "Leave it to the rule.")] = None,
    remove_picture: Annotated[list[str] | None, _removal("picture", "NAME|SHA256", "Older versions keep it.")] = None,
    from_: FileOption = None,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what a case says of itself: a new version; the ones before stay, and can be shown.

    What is not named stays as it is; an empty text takes it away: --title ''. With --from, the file says all of it,
    and options are added to that. Whoever changes a case that somebody else has changed meanwhile is told so.

      counterproof case edit acme --form 'Orvane=オルヴァン' --threshold picture_distance=31

      counterproof case show acme --toml >acme.toml     (change it there, then)

      counterproof case edit acme --from acme.toml
    """
    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        from console.amending import Wishes
        from console.casework import change

        removed = {
            "term": remove_term,
            "form": remove_form,
            "registration": remove_registration,
            "authorised": remove_authorised,
            "price": remove_price,
            "threshold": remove_threshold,
            "picture": remove_picture,
        }
        wishes = Wishes(
            title=title,
            matter=matter,
            terms=term or (),
            products=product or (),
            forms=form or (),
            registrations=registration or (),
            authorised=authorised or (),
            prices=price or (),
            thresholds=threshold or (),
            pictures=picture or (),
            timezone=timezone,
            purpose=purpose,
            legal_basis=legal_basis,
            review_by=review_by,
            retention_days=retention,
            removed={what: each for what, each in removed.items() if each},
        )
        if from_ is None and wishes == Wishes():
            raise UsageError("say what is to change: `counterproof case edit --help` shows how")
        code = change(name, wishes, config, context.obj, sheet=from_, new=False, as_json=as_json)
    raise typer.Exit(code)


@app.command()
def show(
    name: NameArgument,
    *,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", min=1, help="An older version. [the newest]")
    ] = None,
    as_toml: Annotated[bool, typer.Option("--toml", help="As a file for `case edit --from`.")] = False,
    home: HomeOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a case says of itself, and its versions with their times and leaves."""
    from console import caseview

    with sentences(as_json=as_json):
        config = ArchiveConfig.load(os.environ, home=home, store_url=store)
        caseview.show(config, name, version, as_json=as_json, as_toml=as_toml)


@app.command("list")
def list_(*, home: HomeOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the cases: units, version, how long they are kept, and which review is overdue."""
    from console import caseview

    with sentences(as_json=as_json):
        caseview.list_(ArchiveConfig.load(os.environ, home=home, store_url=store), as_json=as_json)
