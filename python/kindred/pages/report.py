"""The report of a run: one page on the quality of the data and on who is who, run by run.

It is read from the warehouse, holds counts, shares and weights only, and opens without a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.errors import KindredError
from kindred.identity import health_history
from kindred.identity.health_history import Health
from kindred.identity.wording import signed
from kindred.pages import write_page
from kindred.project import Profile
from kindred.quality.report import page_part
from kindred.quality.results import Generation, current_generation
from kindred.quality.stored import stored_run

if TYPE_CHECKING:
    import duckdb

FILE_NAME = "report.html"
RESULTS_TABLE = "data_quality_results"
# Runs that the table of runs lists, newest first.
LISTED_RUNS = 12
ENTITIES = {"person": ("People", "customer"), "account": ("Companies", "account")}


def write_report(
    connection: duckdb.DuckDBPyConnection,
    profile: Profile,
    path: Path,
    skipped: tuple[str, ...] = (),
) -> None:
    """Write the report of the last build; KindredError where there is none.

    skipped: checks that were left out and why, where they have just been run.
    """
    identity = profile.schema_of("identity")
    generation = current_generation(connection, identity, profile.schema)
    run = stored_run(connection, profile, RESULTS_TABLE, generation, skipped)
    healths = [
        found
        for entity in ENTITIES
        if (
            found := health_history.read_health(
                connection, entity, profile.schema, identity, generation.number
            )
        )
    ]
    quality = page_part(run) if run else None
    write_page(path, "report.html", **_content(generation, quality, healths))


def _content(
    generation: Generation, quality: dict[str, Any] | None, healths: list[Health]
) -> dict[str, Any]:
    sections = [_section(health) for health in healths]
    return {
        "generation": generation,
        "quality": quality,
        "sections": sections,
        "standing_out": [
            (section["title"], text) for section in sections for text in section["standing_out"]
        ],
        "libraries": _libraries() if any(section["charts"] for section in sections) else [],
        "docs_link": "data_docs/index.html",
    }


def _section(health: Health) -> dict[str, Any]:
    """What the page tells of one entity."""
    title, noun = ENTITIES[health.entity]
    now = health.last
    review = now.of("review_rows")
    return {
        "entity": health.entity,
        "title": title,
        "noun": noun,
        "now": now,
        "standing_out": health_history.standing_out(health, noun),
        "trends": health_history.trends(health, noun),
        "by_source": health_history.by_source(now),
        "by_rule": health_history.shares(now.of("match_rate_by_rule")),
        "by_size": health_history.by_size(now),
        "by_strength": health_history.by_strength(now),
        "bridges": sum(now.of("bridges").values()),
        "weak_bridges": now.one("weak_bridges") or 0.0,
        "review": sum(review.values()),
        "drifts": health_history.drifts(health),
        "has_before": health.before is not None,
        "model": health.model,
        "cut": signed(health.model.cut) if health.model else "",
        "charts": _charts(health),
        "blocking": health_history.blocking(now),
        "runs": list(reversed(health.runs))[:LISTED_RUNS],
    }


def _charts(health: Health) -> dict[str, Any]:
    """Splink's charts of the model of the last run, safe to stand in a script element."""
    from markupsafe import Markup

    from kindred.identity.model_chart import as_script, charts

    if health.model is None:
        return {}
    size = health.last.one("representatives") or 0.0
    try:
        found = charts(health.entity, health.model.content, size)
    except KindredError:
        # The settings of the matching have changed since the run.
        return {}
    return {name: Markup(as_script(spec)) for name, spec in found.items()}  # noqa: S704


def _libraries() -> list[Any]:
    from markupsafe import Markup

    from kindred.identity.model_chart import libraries

    # Splink's own files, which hold no end of a script element.
    return [Markup(text) for text in libraries()]  # noqa: S704
