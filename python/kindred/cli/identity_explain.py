"""`kindred identity explain`: why records are one, or are not, in words and as a page."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli._shared import database_of, database_options


@click.command()
@click.argument("names", nargs=-1)
@database_options("Read this DuckDB file instead of the target's.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    help="Write the explanation as a page that opens without a network, with drawings.",
)
@click.option(
    "--with-values",
    is_flag=True,
    help="Put names, addresses and the like of the records into the page.",
)
@click.option(
    "--as-of-generation",
    type=int,
    help="Say where a record belonged, or what an id held, after this past run instead.",
)
def explain(
    names: tuple[str, ...],
    project_dir: Path | None,
    target: str | None,
    database: Path | None,
    page: Path | None,
    with_values: bool,
    as_of_generation: int | None,
) -> None:
    """Say why records are one, or why two are not.

    Give two record ids, or one record, customer or account id; without any, the customer with
    records in the most sources is explained. A page holds no personal values unless you ask.

    Example: kindred identity explain cus_0123456789abcdef --html why.html
    """
    from kindred.errors import KindredError
    from kindred.identity import explanation, explanation_page

    if len(names) > 2:
        raise KindredError("Too many names.", "give two record ids, or one customer or account id.")
    if with_values and page is None:
        raise KindredError("--with-values is for a page.", "add --html why.html, or leave it out.")
    place = database_of(project_dir, target, database)
    if as_of_generation is not None:
        if page is not None:
            raise KindredError(
                "A page tells of the present only.", "leave out --html or --as-of-generation."
            )
        for line in explanation.told_as_of(place, names, as_of_generation):
            click.echo(line)
        return
    if page is not None:
        explanation_page.refuse_name(page)
    found = explanation.explain(
        place,
        names,
        with_values=with_values,
        tell=lambda text: click.echo(f"  {text} ...", err=True),
    )
    for line in explanation.as_text(found):
        click.echo(line)
    if page is not None:
        explanation_page.write(found, page)
        click.echo(f"Page: {page}")
