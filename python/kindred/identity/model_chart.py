"""Splink's charts of a model of ours, as specifications for Vega; nothing of the data is in them.

Splink draws a model with two kinds of pairs. Of ours it shows the two that it shares: what an
agreement weighs for the same person or company, against strangers.
"""

from __future__ import annotations

import json
from typing import Any

from kindred.identity.entity import Comparison
from kindred.identity.model_files import from_dict
from kindred.identity.pipeline import entity_named

_FOR, _NEITHER, _AGAINST = "#2f7d58", "#c3c9d4", "#b42318"


def charts(entity: str, content: dict[str, Any], size: float) -> dict[str, dict[str, Any]]:
    """Specifications of Vega-Lite by name: match_weights, m_u.

    content: a model as kindred.identity.model_files writes one. size: number of records compared,
    which says how rare it is that any two are one. Empty where the model compares nothing.
    """
    import duckdb
    from splink import DuckDBAPI, Linker

    settings = entity_named(entity)
    model = from_dict(content, settings, "the model of the run")
    known = {c.field: c for c in settings.comparisons}
    # How many records share a name says nothing between these two kinds of pairs.
    shown = [i for i, name in enumerate(model.fields) if not known[name].holders_of]
    if not shown or size < 2:
        return {}
    share = sum(model.kinds[kind.name] for kind in settings.matches)
    linker_settings = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "n",
        "probability_two_random_records_match": min(2 * share / (size - 1), 0.5),
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [
            _comparison(known[model.fields[i]], model.m[i].tolist(), model.u[i].tolist())
            for i in shown
        ],
    }
    columns = ", ".join(f"'' as {model.fields[i]}" for i in shown)
    with duckdb.connect() as con:
        con.execute(f"create table nobody as select 1 as n, {columns}")
        linker = Linker(
            DuckDBAPI(connection=con).register(con.table("nobody")),
            linker_settings,
            log_level="ERROR",
        )
        found = {
            "match_weights": linker.visualisations.match_weights_chart().chart_dict,
            "m_u": linker.visualisations.m_u_parameters_chart().chart_dict,
        }
    labels = {name: comparison.label for name, comparison in known.items()}
    return {name: _in_house_style(spec, labels) for name, spec in found.items()}


def libraries() -> list[str]:
    """The scripts that draw the charts, as Splink brings them: Vega, Vega-Lite, Vega-Embed."""
    from splink.internals import html_utils

    found: dict[str, str] = html_utils.load_chart_libraries()  # type: ignore[no-untyped-call]
    return list(found.values())


def _comparison(comparison: Comparison, m: list[float], u: list[float]) -> dict[str, Any]:
    field = comparison.field
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{field}_l is null or {field}_r is null",
            "label_for_charts": "nothing to compare",
            "is_null_level": True,
        }
    ]
    levels += [
        {
            # Nothing is compared here, and the chart would show our own conditions at length.
            "sql_condition": f"{field}_l = {field}_r and {place} = {place}",
            "label_for_charts": level.name,
            "m_probability": of_same,
            "u_probability": of_strangers,
        }
        for place, (level, of_same, of_strangers) in enumerate(
            zip(comparison.levels, reversed(m), reversed(u), strict=True)
        )
    ]
    return {
        "output_column_name": field,
        "comparison_description": comparison.label,
        "comparison_levels": levels,
    }


def _in_house_style(spec: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """Labels in words, our colours, and no zooming: the wheel scrolls the page."""
    for row in spec["data"]["values"]:
        row["comparison_name"] = labels.get(row["comparison_name"], row["comparison_name"])
        row.pop("sql_condition", None)
    spec.pop("title", None)
    config = spec.setdefault("config", {})
    config["font"] = "system-ui, 'DejaVu Sans', sans-serif"
    config["view"] = {**config.get("view", {}), "stroke": "#e3e7ee"}
    config["background"] = "transparent"
    config["axis"] = {**config.get("axis", {}), "labelFontSize": 12, "titleFontSize": 12}
    config["header"] = {**config.get("header", {}), "labelFontSize": 12, "labelFontWeight": 600}
    for part in spec.get("vconcat", []):
        part.pop("params", None)
        part["encoding"]["x"]["axis"] = {**part["encoding"]["x"].get("axis", {}), "title": "Points"}
        colour = part["encoding"]["color"]
        colour["legend"] = None
        colour["scale"] = {
            **colour["scale"], "range": [_AGAINST, _NEITHER, _FOR], "clamp": True,
        }  # fmt: skip
    for prior in spec.get("vconcat", [])[:1]:
        prior["encoding"]["x"]["axis"]["title"] = ""
        prior["encoding"]["y"]["axis"]["title"] = "Where every pair starts"
    for part, title, colour in zip(
        spec.get("hconcat", []), ("Pairs that are one", "Pairs of strangers"), (_FOR, _AGAINST),
        strict=False,
    ):  # fmt: skip
        part["title"] = title
        part["encoding"]["color"] = {"value": colour}
        part["encoding"]["x"]["axis"] = {"title": "Share of the pairs"}
    for part in [*spec.get("vconcat", []), *spec.get("hconcat", [])]:
        if isinstance(part.get("height"), dict):
            part["height"] = {"step": 17}
        row = part["encoding"].get("row")
        if row:
            row["header"] = {
                "title": None, "labelOrient": "top", "labelAnchor": "start", "labelPadding": 2,
            }  # fmt: skip
            row["spacing"] = 8
        encoding = part["encoding"]
        encoding["tooltip"] = [
            tip for tip in encoding.get("tooltip", []) if tip.get("field") != "sql_condition"
        ]
    return spec


def as_script(spec: dict[str, Any]) -> str:
    """The specification as JSON that may stand in a script element."""
    text = json.dumps(spec, sort_keys=True)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
