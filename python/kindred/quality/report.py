"""Reports of a check run: its part of the page for people, Markdown for CI, JUnit XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from kindred.quality.results import CheckResult, CheckRun, failed_results
from kindred.quality.suites import LAYERS, shipped_suites


def page_part(run: CheckRun) -> dict[str, Any]:
    """What the report says of the quality of the data (template quality_part.html): counts only."""
    return {
        "verdict": run.verdict,
        "failed": failed_results(run.results),
        "layers": _layers(run),
        "skipped": run.skipped,
    }


def _layers(run: CheckRun) -> list[dict[str, Any]]:
    about = {suite.layer: suite.about for suite in shipped_suites()}
    found: list[dict[str, Any]] = []
    for layer in LAYERS:
        results = [result for result in run.results if result.batch.layer == layer]
        if results:
            found.append(
                {
                    "name": layer,
                    "about": about.get(layer, ""),
                    "tables": _tables(results),
                    **_counts(results),
                }
            )
    return found


def _tables(results: list[CheckResult]) -> list[dict[str, Any]]:
    grouped: dict[str, list[CheckResult]] = {}
    for result in results:
        grouped.setdefault(result.batch.name, []).append(result)
    return [
        {"name": name, "about": group[0].batch.about, **_counts(group)}
        for name, group in grouped.items()
    ]


def _counts(results: list[CheckResult]) -> dict[str, Any]:
    failed = [result for result in results if not result.is_success]
    return {
        "results": results,
        "passed": len(results) - len(failed),
        "failed": len(failed),
        "critical": sum(result.severity == "critical" for result in failed),
        "warnings": sum(result.severity == "warning" for result in failed),
    }


def as_markdown(run: CheckRun) -> str:
    """The verdict and what failed, as Markdown for a CI step summary."""
    verdict = run.verdict
    lines = [
        f"### Data quality: {'fit for use' if verdict.is_fit else 'not fit for use'}",
        "",
        "| checks | passed | critical failed | warnings | remarks |",
        "|---:|---:|---:|---:|---:|",
        f"| {verdict.total} | {verdict.passed} | {verdict.failed['critical']} | "
        f"{verdict.failed['warning']} | {verdict.failed['info']} |",
    ]
    failed = failed_results(run.results)
    if failed:
        lines += ["", "| | table | what must hold | unexpected |", "|---|---|---|---:|"]
        lines += [
            f"| {result.severity} | `{result.batch.name}` | {result.check.meaning}"
            f"{' (' + result.error + ')' if result.error else ''} | {counted(result)} |"
            for result in failed
        ]
    return "\n".join(lines) + "\n"


def counted(result: CheckResult) -> str:
    """`12 of 3,400`, or nothing where the check counts nothing."""
    if result.unexpected_count is None:
        return ""
    of = "" if result.checked_count is None else f" of {result.checked_count:,}"
    return f"{result.unexpected_count:,}{of}"


def write_junit(run: CheckRun, path: Path) -> None:
    """Write the results as JUnit XML: one test suite a layer, one case a check.

    A failed critical check is a failure, one that could not be run an error; failed warnings and
    remarks pass and say so in their output, as they do not stop a publication.
    """
    root = ElementTree.Element("testsuites", name="kindred check")
    for layer in LAYERS:
        results = [result for result in run.results if result.batch.layer == layer]
        if not results:
            continue
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=layer,
            tests=str(len(results)),
            failures=str(sum(_is_failure(result) for result in results)),
            errors=str(sum(result.error is not None for result in results)),
        )
        for result in results:
            _case(suite, result)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _is_failure(result: CheckResult) -> bool:
    return not result.is_success and result.severity == "critical" and result.error is None


def _case(suite: ElementTree.Element, result: CheckResult) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=result.batch.name, name=result.check.meaning
    )
    text = f"{result.check.expectation} {result.column_name} {counted(result)}".strip()
    if result.error is not None:
        ElementTree.SubElement(case, "error", message=result.error).text = text
    elif _is_failure(result):
        ElementTree.SubElement(case, "failure", message=result.check.meaning).text = text
    elif not result.is_success:
        ElementTree.SubElement(case, "system-out").text = f"{result.severity}: {text}"
