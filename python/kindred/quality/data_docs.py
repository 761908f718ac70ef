"""Make Data Docs readable without a network: they load their styles and scripts from CDNs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from kindred.quality.results import CheckResult
from kindred.quality.suites import SEVERITIES, Severity

_OUTSIDE_SCRIPT = re.compile(r"<script[^>]*src=[\"']https?://[^>]*>\s*</script>", re.IGNORECASE)
_OUTSIDE_LINK = re.compile(r"<link[^>]*href=[\"']https?://[^>]*>", re.IGNORECASE)
_OUTSIDE_IMAGE = re.compile(r"<img[^>]*src=[\"']https?://[^>]*>", re.IGNORECASE | re.DOTALL)
_OUTSIDE_URL = re.compile(r"url\(['\"]?https?://[^)]*\)", re.IGNORECASE)
_FOOTER = re.compile(r"<footer>.*?</footer>", re.IGNORECASE | re.DOTALL)
_NEEDS_LIBRARY = re.compile(r"\$\(|\$\.|vegaEmbed")
_INLINE_SCRIPT = re.compile(r"<script>.*?</script>", re.IGNORECASE | re.DOTALL)


def template(name: str) -> str:
    """The text of a page template of this package."""
    folder = resources.files("kindred.quality") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def mend_offline(site: Path, results: Sequence[CheckResult]) -> None:
    """Rewrite the pages of `site` so that nothing is loaded from outside, and its index anew."""
    style = template("docs_style.html")
    for path in site.rglob("*.html"):
        path.write_text(_mended(path.read_text(encoding="utf-8"), style), encoding="utf-8")
    (site / "index.html").write_text(_index(site, results, style), encoding="utf-8")
    # Pictures and fonts that only the removed parts showed.
    shutil.rmtree(site / "static", ignore_errors=True)


def _mended(html: str, style: str) -> str:
    html = _OUTSIDE_SCRIPT.sub("", html)
    html = _OUTSIDE_LINK.sub("", html)
    html = _OUTSIDE_IMAGE.sub('<span class="ge-logo">Great Expectations</span>', html)
    html = _OUTSIDE_URL.sub("none", html)
    html = _FOOTER.sub("", html)
    html = re.sub(r"<link[^>]*rel=\"shortcut icon\"[^>]*>", "", html)
    html = _INLINE_SCRIPT.sub(
        lambda part: "" if _NEEDS_LIBRARY.search(part.group(0)) else part.group(0), html
    )
    return html.replace("</head>", style + "</head>", 1)


def _index(site: Path, results: Sequence[CheckResult], style: str) -> str:
    from jinja2 import Environment

    pages: list[dict[str, Any]] = []
    failed: dict[tuple[str, str], set[Severity]] = {}
    for result in results:
        severities = failed.setdefault((result.batch.suite, result.batch.name), set())
        if not result.is_success:
            severities.add(result.severity)
    found = {path.stem: path for path in (site / "validations").rglob("*.html")}
    for (suite, table), severities in failed.items():
        page = found.get(f"{table}-{table.partition('.')[2]}")
        expectations = _expectations_page(site, table)
        if page is not None:
            pages.append(
                {
                    "suite": suite,
                    "table": table,
                    "worst": min(severities, key=SEVERITIES.index, default=None),
                    "result": page.relative_to(site).as_posix(),
                    "expectations": expectations,
                }
            )
    environment = Environment(autoescape=True)
    from markupsafe import Markup

    # The style is this package's own file.
    return environment.from_string(template("docs_index.html")).render(
        pages=pages,
        style=Markup(style),  # noqa: S704
    )


def _expectations_page(site: Path, table: str) -> str | None:
    path = site / "expectations" / Path(*table.split(".")[:-1]) / f"{table.split('.')[-1]}.html"
    return path.relative_to(site).as_posix() if path.exists() else None
