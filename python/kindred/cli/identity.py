"""`kindred identity`: train, evaluate and explain the matching of people and companies."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kindred.cli._shared import database_of, database_options
from kindred.cli.identity_diff import diff
from kindred.cli.identity_explain import explain
from kindred.cli.identity_review import command as review

ENTITY = click.option(
    "--entity", type=click.Choice(["person", "account"]), default="person", show_default=True
)
DATABASE = database_options("Read the record streams of this DuckDB file, not of the target.")
RECORDS = click.option(
    "--records",
    multiple=True,
    type=click.Path(path_type=Path),
    help="CSV or Parquet with columns named as in the record streams; give it again to add files.",
)
MODEL = click.option(
    "--model",
    default="auto",
    show_default=True,
    help="auto, shipped, train, or a file that `train` wrote.",
)


@click.group()
def command() -> None:
    """Train, measure and explain who is who.

    Example: kindred identity explain
    """


command.add_command(diff)


@command.command()
@RECORDS
@ENTITY
@DATABASE
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Model file to write.")
def train(
    records: tuple[Path, ...],
    entity: str,
    project_dir: Path | None,
    target: str | None,
    database: Path | None,
    out: Path,
) -> None:
    """Train a model on records, without labels and with fixed seeds.

    Example: kindred identity train --out my_model.json
    """
    from kindred.identity import evaluation, model_files, training
    from kindred.identity.pipeline import entity_named, resolve

    place = None if records else database_of(project_dir, target, database)
    data = evaluation.read_data(records, entity, place, truth=None)
    settings = entity_named(entity)
    found = resolve(
        data.records, settings, identifiers=data.identifiers, model="train", with_links=False
    )
    model_files.save(training.with_optional(found.model, settings), settings, out)
    click.echo(f"Trained on {data.records.num_rows:,} records; wrote {out}.")
    for kind, share in sorted(found.model.kinds.items()):
        click.echo(f"  {share:10.4f} pairs per record: {kind}")


@command.command()
@RECORDS
@click.option("--truth", help="Column with the true entity; dropped before matching.")
@click.option(
    "--truth-file",
    type=click.Path(path_type=Path),
    help="File with record_id and the truth column; joined after matching.",
)
@click.option(
    "--identifiers",
    type=click.Path(path_type=Path),
    help="File with record_id, identifier_type, identifier_value.",
)
@ENTITY
@MODEL
@DATABASE
@click.option("--out", type=click.Path(path_type=Path), help="Write record_id and entity as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--baselines/--no-baselines", default=True, show_default=True)
def evaluate(
    records: tuple[Path, ...],
    truth: str | None,
    truth_file: Path | None,
    identifiers: Path | None,
    entity: str,
    model: str,
    project_dir: Path | None,
    target: str | None,
    database: Path | None,
    out: Path | None,
    as_json: bool,
    baselines: bool,
) -> None:
    """Run the production matching on labelled records and score it.

    Example: kindred identity evaluate --records people.csv --truth cluster
    """
    from kindred.identity import evaluation

    place = None if records else database_of(project_dir, target, database)
    figures = evaluation.evaluate(
        evaluation.read_data(
            records, entity, place, truth, truth_file=truth_file, identifiers=identifiers
        ),
        entity,
        model=model,
        out=out,
        with_baselines=baselines,
        tell=lambda text: click.echo(f"  {text} ...", err=True),
    )
    click.echo(json.dumps(figures, indent=2) if as_json else evaluation.as_text(figures))


for extra in (explain, review, diff):
    command.add_command(extra)
