"""Evaluate the suites with Great Expectations on frames taken from the warehouse.

Great Expectations is given frames, not a connection: its SQL data source does not work on DuckDB.
Results are asked for with counts only, so that no value of the data reaches a result, a report
or Data Docs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kindred.project import Profile, Project
from kindred.quality.batches import available_columns, read_batch
from kindred.quality.results import CheckResult, CheckRun, Generation
from kindred.quality.suites import Batch, Check, Suite, batches_for
from kindred.warehouse.database import Connection, columns_of, engine_errors, has_relation

# Counts and percentages only: the list of unexpected values stays empty.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_SITE = "data_docs"


def run_suites(
    connection: Connection,
    project: Project,
    profile: Profile,
    generation: Generation,
    docs: Path | None = None,
    suites: Sequence[Suite] | None = None,
    progress: Callable[[Batch], None] = lambda batch: None,
) -> CheckRun:
    """Check every table of the suites; with `docs`, write Data Docs into that folder."""
    started = time.monotonic()
    context = _context(docs)
    results: list[CheckResult] = []
    skipped: list[str] = []
    fed = {stream for streams in project.sources.values() for stream in streams}
    for batch in batches_for(project, profile, partial(columns_of, connection), suites):
        progress(batch)
        why = _reason_to_skip(connection, batch, fed)
        if why is not None:
            skipped.append(f"{batch.name}: {why}")
            continue
        results += _check_batch(connection, context, batch, generation)
    if docs is not None:
        from kindred.quality.data_docs import mend_offline

        context.build_data_docs()
        mend_offline(docs, results)
    return CheckRun(generation, tuple(results), tuple(skipped), time.monotonic() - started)


def _reason_to_skip(connection: Connection, batch: Batch, fed: set[str]) -> str | None:
    if batch.fed_by and batch.fed_by not in fed:
        return f"no source that is on feeds {batch.fed_by}"
    if not batch.is_optional:
        return None
    missing = [
        f"{schema}.{name}"
        for schema, name in batch.reads
        if not has_relation(connection, schema, name)
    ]
    return f"there is no {', '.join(missing)}" if missing else None


def _context(docs: Path | None) -> Any:
    """A context in memory, quiet, that sends nothing out."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import logging
    import warnings

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="great_expectations")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import pandas_execution_engine

    # It would hash every frame whole, a third of the time, to print a fingerprint of personal
    # data in Data Docs.
    pandas_execution_engine.hash_pandas_dataframe = lambda frame: "not taken"
    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.variables.data_docs_sites or {}):
        context.delete_data_docs_site(site)
    if docs is not None:
        context.add_data_docs_site(
            _SITE,
            {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(docs),
                },
            },
        )
    return context


def _check_batch(
    connection: Connection, context: Any, batch: Batch, generation: Generation
) -> list[CheckResult]:
    try:
        columns = available_columns(connection, batch, generation.as_of_sql)
        if not columns:
            return [_not_checked(batch, check, "the table is missing") for check in batch.checks]
        frame = read_batch(connection, batch, columns, generation.as_of_sql)
    except engine_errors() as error:
        # The engine's own words may hold a value; its kind of error does not.
        why = f"the table could not be read ({type(error).__name__})"
        return [_not_checked(batch, check, why) for check in batch.checks]
    missing = {
        index: [name for name in check.columns if name not in columns]
        for index, check in enumerate(batch.checks)
    }
    done = _evaluate(context, batch, frame, generation, {i for i in missing if not missing[i]})
    return [
        _not_checked(batch, check, f"the table has no column {', '.join(missing[index])}")
        if missing[index]
        else done[index]
        for index, check in enumerate(batch.checks)
    ]


def _evaluate(
    context: Any, batch: Batch, frame: Any, generation: Generation, indexes: set[int]
) -> dict[int, CheckResult]:
    import great_expectations as gx

    if not indexes:
        return {}
    # A data source of its own for every batch: the engine of a source holds on to its frames.
    source = context.data_sources.add_pandas(batch.name)
    asset = source.add_dataframe_asset(batch.table)
    whole = asset.add_batch_definition_whole_dataframe("all rows")
    suite = context.suites.add(gx.ExpectationSuite(name=batch.name, notes=batch.about or None))
    for index in sorted(indexes):
        suite.add_expectation(_expectation(gx, batch.checks[index], index))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=batch.name, data=whole, suite=suite)
    )
    found = definition.run(
        batch_parameters={"dataframe": frame},
        result_format=RESULT_FORMAT,
        run_id=gx.RunIdentifier(
            run_name=f"generation-{generation.number}", run_time=generation.as_of
        ),
    )
    done = {
        int(result.expectation_config.meta["check"]): _result(batch, result)
        for result in found.results
    }
    _blot_out_exceptions(context)
    context.data_sources.delete(batch.name)
    return done


def _expectation(gx: Any, check: Check, index: int) -> Any:
    name = "Expect" + "".join(part.capitalize() for part in check.expectation.split("_"))
    kind = getattr(gx.expectations, name)
    arguments = dict(check.arguments)
    if check.column is not None:
        arguments["column"] = check.column
    return kind(**arguments, severity=check.severity, notes=check.meaning, meta={"check": index})


def _result(batch: Batch, result: Any) -> CheckResult:
    check = batch.checks[int(result.expectation_config.meta["check"])]
    error = _exception_name(result.exception_info or {})
    if error:
        return _not_checked(batch, check, f"the check itself failed ({error})")
    detail = dict(result.result or {})
    elements = detail.get("element_count")
    missing = detail.get("missing_count") or 0
    observed = detail.get("observed_value")
    if elements is None and check.expectation.startswith("table_row_count"):
        elements = observed
    percent = detail.get("unexpected_percent")
    return CheckResult(
        batch=batch,
        check=check,
        is_success=bool(result.success),
        checked_count=None if elements is None else int(elements) - int(missing),
        unexpected_count=_whole(detail.get("unexpected_count")),
        unexpected_percent=None if percent is None else float(percent),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _exception_name(info: dict[str, Any]) -> str | None:
    """The kind of exception an expectation raised, without its text; None where it raised none."""
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            text = str(entry.get("exception_traceback") or "").strip().splitlines()
            last = text[-1].split(":")[0] if text else ""
            return last.split(".")[-1] if last.replace(".", "").isidentifier() else "an exception"
    return None


def _blot_out_exceptions(context: Any) -> None:
    """Take the texts of exceptions out of stored results: Data Docs would print them."""
    store = context.validation_results_store
    for key in store.list_keys():
        stored = store.get(key)
        touched = False
        for result in stored.results:
            name = _exception_name(result.exception_info or {})
            if name:
                touched = True
                result.exception_info = {
                    "raised_exception": True,
                    "exception_message": f"could not be checked ({name})",
                    "exception_traceback": None,
                }
        if touched:
            store.set(key, stored)


def _not_checked(batch: Batch, check: Check, why: str) -> CheckResult:
    return CheckResult(batch, check, is_success=False, error=f"could not be checked: {why}")
