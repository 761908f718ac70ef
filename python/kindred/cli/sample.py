"""`kindred sample`: write the raw tables of ten systems for people who do not exist."""

from __future__ import annotations

import time
from pathlib import Path

import click

from kindred.errors import KindredError


@click.command(
    epilog="Example: kindred sample --people 2000 --out sample, then: kindred load sample"
)
@click.option("--people", default=2000, show_default=True, help="People in the hidden population.")
@click.option(
    "--companies", type=int, default=None, help="Companies they work for.  [default: people / 10]"
)
@click.option(
    "--out",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("sample"),
    show_default=True,
    help="Directory for <source>/<table>.parquet, truth/ and sample.json.",
)
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same bytes.")
def command(people: int, companies: int | None, directory: Path, seed: int) -> None:
    """Write sample data: ten systems that know the same people, each in its own way.

    The tables have the layouts that the usual connectors land. The truth, which record is which
    person, lies beside them in truth/. An older sample in the directory is replaced.
    """
    if people < 50:
        raise KindredError(
            f"--people {people} is too few for a sample.", "ask for 50 people or more."
        )
    count = people // 10 if companies is None else companies
    if count < 1:
        raise KindredError(
            f"--companies {count} is too few for a sample.", "ask for one company or more."
        )
    if seed < 0:
        raise KindredError(f"--seed {seed} is negative.", "give a whole number from 0 up.")
    from kindred.sample.generate import generate

    started = time.monotonic()
    rows = generate(people, count, directory, seed, tell=lambda line: click.echo(f"  {line}"))
    tables = {name: n for name, n in rows.items() if not name.startswith("truth.")}
    click.echo(
        f"Wrote {sum(tables.values()):,} rows in {len(tables)} tables to {directory} "
        f"in {time.monotonic() - started:.1f} s."
    )
    click.echo(
        f"Truth: {rows['truth.persons']:,} person records of {people:,} people, "
        f"{rows['truth.companies']:,} company records of {count:,} companies."
    )
    click.echo(f"Next: kindred load {directory}")
