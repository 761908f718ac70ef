"""What of each mart column people may see: read from the manifest, turned into SQL.

Every column carries `config.meta.bi`: open (as it is), masked (recognisable, not readable) or
hidden (null). A column without a classification, or with an unknown one, is hidden.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kindred.errors import KindredError
from kindred.warehouse.database import quoted

Exposure = Literal["open", "masked", "hidden"]
# Keys of people and companies that a segment selects; `customers` and `accounts` show them too.
_SEGMENT_KEYS = frozenset({"customer_id", "account_id"})
_ROOMS = ("marts", "segments", "activation")


@dataclass(frozen=True)
class PublishedModel:
    """A model that is published, as the manifest describes it."""

    name: str
    schema: str
    room: str
    description: str
    column_exposure: dict[str, Exposure]
    column_description: dict[str, str]

    def exposure_of(self, column: str) -> Exposure:
        """How the column may be shown; hidden where nothing is said."""
        if self.room == "segments" and column.lower() in _SEGMENT_KEYS:
            return "open"
        return self.column_exposure.get(column.lower(), "hidden")


def published_models(manifest: Path) -> list[PublishedModel]:
    """Models of the rooms marts, segments and activation, by name."""
    if not manifest.is_file():
        raise KindredError(
            f"There is no {manifest}, which says what may be shown.", "run `kindred build` first."
        )
    content = json.loads(manifest.read_text(encoding="utf-8"))
    found: list[PublishedModel] = []
    for node in content["nodes"].values():
        room = str(node["path"]).replace("\\", "/").split("/")[0]
        if node["resource_type"] == "model" and room in _ROOMS:
            found.append(_model(node, room))
    if not any(model.room == "marts" for model in found):
        raise KindredError(
            f"{manifest} knows no mart, so nothing can be published.", "run `kindred build` first."
        )
    return sorted(found, key=lambda model: (_ROOMS.index(model.room), model.name))


def _model(node: dict[str, Any], room: str) -> PublishedModel:
    columns = {str(name).lower(): column for name, column in (node.get("columns") or {}).items()}
    return PublishedModel(
        name=str(node.get("alias") or node["name"]),
        schema=str(node["schema"]),
        room=room,
        description=str(node.get("description") or "").strip(),
        column_exposure={name: _exposure(column) for name, column in columns.items()},
        column_description={
            name: str(column.get("description") or "").strip() for name, column in columns.items()
        },
    )


def _exposure(column: dict[str, Any]) -> Exposure:
    meta = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
    value = meta.get("bi")
    return value if value in ("open", "masked") else "hidden"


def masked_select(model: PublishedModel, columns: dict[str, str], relation: str) -> str:
    """A select of `relation` that shows of each column (name -> type) what people may see."""
    parts = [
        f"{_shown(name, kind, model.exposure_of(name))} as {quoted(name)}"
        for name, kind in columns.items()
    ]
    return f"select {', '.join(parts)} from {relation}"  # noqa: S608 - quoted names


def _shown(name: str, kind: str, exposure: Exposure) -> str:
    column = quoted(name)
    if exposure == "open":
        return column
    if exposure == "hidden":
        return f"cast(null as {kind})"
    return masked(column, kind.upper())


def masked(column: str, kind: str) -> str:
    """SQL of what is shown of a masked column: `a***@example.com`, `J***`, the first of a year.

    Other types become null.
    """
    if kind.startswith("VARCHAR"):
        return (
            f"case when {column} is null then null when strpos({column}, '@') > 0"
            f" then left({column}, 1) || '***@' || split_part({column}, '@', -1)"
            f" else left({column}, 1) || '***' end"
        )
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f"cast(date_trunc('year', {column}) as {kind})"
    return f"cast(null as {kind})"
