"""The generator: a population, and the ten systems that know it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from kindred.errors import KindredError
from kindred.sample import commerce, crm, service, web
from kindred.sample.output import Output
from kindred.sample.people import make_companies, make_people
from kindred.sample.schema import SCHEMAS

AS_OF_TEXT = "2026-06-30T00:00:00"
SOURCES = tuple(dict.fromkeys(source for source, _ in SCHEMAS))


def prepare(directory: Path) -> None:
    """Make `directory` ready for a sample: new, empty, or an older sample that is replaced.

    Leaves a sample.json that says "unfinished", so that a run that was stopped can be repeated.
    Raises KindredError where the directory holds anything else.
    """
    if directory.exists() and not directory.is_dir():
        raise KindredError(
            f"{directory} is a file, and the sample is a directory.",
            "name another directory with --out.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    inside = {path.name for path in directory.iterdir()}
    if inside and ("sample.json" not in inside or inside - {*SOURCES, "truth", "sample.json"}):
        raise KindredError(
            f"The directory {directory} holds files that are not a sample.",
            "name a new or empty directory with --out, or move those files away.",
        )
    for source in (*SOURCES, "truth"):
        if (directory / source).is_symlink():
            raise KindredError(
                f"{directory / source} is a link, and a sample writes real directories.",
                "remove the link, or name another directory with --out.",
            )
        shutil.rmtree(directory / source, ignore_errors=True)
    (directory / "sample.json").write_text('{"unfinished": true}\n', "utf-8")


def generate(
    people: int,
    companies: int,
    directory: Path,
    seed: int = 7,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Write the sample and give the rows of each table.

    Parameters
    ----------
    people: people in the hidden population, at least 50.
    companies: companies among which those in work are spread, at least 1.
    directory: where the tables go, as `<source>/<table>.parquet`.
    seed: the same seed gives the same bytes.
    tell: called with one line for each step.
    """
    prepare(directory)
    tell(f"Imagining {people:,} people and {companies:,} companies")
    pop = make_people(seed, people, make_companies(seed, companies))
    out = Output(directory)
    tell("Writing salesforce")
    crm.salesforce(pop, seed, out)
    tell("Writing hubspot")
    crm.hubspot(pop, seed, out)
    tell("Writing segment")
    users, devices = web.segment(pop, seed, out)
    for name, write in (
        ("stripe", commerce.stripe),
        ("shopify", commerce.shopify),
        ("pos", commerce.pos),
        ("zendesk", service.zendesk),
        ("klaviyo", service.klaviyo),
        ("social", service.social),
    ):
        tell(f"Writing {name}")
        write(pop, seed, out)
    tell("Writing consent_platform")
    service.consent_platform(pop, seed, out, users, devices)
    out.close({"seed": seed, "people": people, "companies": companies, "as_of": AS_OF_TEXT})
    return out.rows
