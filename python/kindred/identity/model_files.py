"""Trained models as versioned JSON: shipped with the package, saved by a run, or given by file."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity.entity import Entity
from kindred.identity.mixture import FloatArray, Model, of_fields

FORMAT = 1
# How far field fill and level frequencies may lie from the training data's (shares, 0 to 1).
FILL_TOLERANCE = 0.15
LEVEL_TOLERANCE = 0.15


def to_dict(model: Model, entity: Entity) -> dict[str, Any]:
    """The model as plain values, with its comparisons spelled out."""
    labels = {c.field: [level.name for level in reversed(c.levels)] for c in entity.comparisons}
    return {
        "format": FORMAT,
        "entity": entity.name,
        "about": model.about,
        "kinds": model.kinds,
        "fields": [
            {
                "field": name,
                "levels": labels[name],
                "m": [float(x) for x in model.m[i]],
                "u": [float(x) for x in model.u[i]],
                "shared": {
                    kind: [float(x) for x in tables[name]]
                    for kind, tables in model.shared.items()
                    if name in tables
                },
            }
            for i, name in enumerate(model.fields)
        ],
    }


def from_dict(content: dict[str, Any], entity: Entity, origin: str) -> Model:
    """Read back what `to_dict` wrote; KindredError where it is not a model of this entity."""
    try:
        if content["format"] != FORMAT or content["entity"] != entity.name:
            raise KindredError(
                f"{origin} is not a model of format {FORMAT} for entity {entity.name}.",
                "train one with `kindred identity train`.",
            )
        labels = {c.field: [level.name for level in reversed(c.levels)] for c in entity.comparisons}
        for item in content["fields"]:
            if labels.get(item["field"]) != item["levels"]:
                raise KindredError(
                    f"{origin} was trained with other settings (field {item['field']}).",
                    "train a new one with `kindred identity train`.",
                )
        shared: dict[str, dict[str, FloatArray]] = {
            kind.name: {
                item["field"]: np.array(item["shared"][kind.name])
                for item in content["fields"]
                if kind.name in item["shared"]
            }
            for kind in entity.others
        }
        return Model(
            tuple(item["field"] for item in content["fields"]),
            tuple(np.array(item["u"]) for item in content["fields"]),
            tuple(np.array(item["m"]) for item in content["fields"]),
            {str(name): float(share) for name, share in content["kinds"].items()},
            shared,
            dict(content["about"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KindredError(
            f"{origin} is not a model of Kindred.", "train one with `kindred identity train`."
        ) from error


def save(model: Model, entity: Entity, path: Path) -> None:
    """Write the model as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_dict(model, entity), indent=2, sort_keys=True) + "\n")


def load(path: Path, entity: Entity) -> Model:
    """Read a model file; KindredError where there is none or it is not one."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise KindredError(
            f"The model file {path} cannot be read.", "name a file that `train` wrote."
        ) from error
    return from_dict(content, entity, str(path))


def shipped(entity: Entity) -> Model | None:
    """The model that comes with the package, or None where there is none."""
    place = resources.files("kindred.identity") / "models" / f"{entity.name}.json"
    if not place.is_file():
        return None
    return from_dict(json.loads(place.read_text()), entity, f"the shipped {entity.name} model")


@cache
def _shipped_digest(entity: Entity, fields: tuple[str, ...]) -> str:
    """Of what the shipped model knows of these fields; "" where it does not know them all."""
    model = shipped(entity)
    if model is None or not set(fields) <= set(model.fields):
        return ""
    return digest(of_fields(model, fields), entity)


def digest(model: Model, entity: Entity) -> str:
    """Twelve characters that are the same for models that weigh every pair alike."""
    content = {name: part for name, part in to_dict(model, entity).items() if name != "about"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def version(model: Model, entity: Entity, asked: str) -> str:
    """The model's origin and digest, such as shipped-0123456789ab.

    asked: auto, shipped, train, or the path of a file. The origin is `shipped`, `trained` (on the
    records of the run) or the name of the file.
    """
    found = digest(model, entity)
    if found == _shipped_digest(entity, model.fields):
        return f"shipped-{found}"
    is_file = asked not in ("auto", "shipped", "train")
    return f"{Path(asked).stem if is_file else 'trained'}-{found}"


def as_table(
    model: Model, entity: Entity, asked: str, choice: str, cut: float, policy: dict[str, Any]
) -> pa.Table:
    """One row: model_version, reason (why this model), value (the cut), settings and policy (JSON).

    policy: what else the run was told, by which a pair can be weighed again as the run did.
    """
    content = json.dumps(to_dict(model, entity), sort_keys=True)
    return pa.table(
        {
            "model_version": [version(model, entity, asked)],
            "reason": [choice],
            "value": [cut],
            "settings": [content],
            "policy": [json.dumps(policy, sort_keys=True)],
        }
    )


def misfit(
    model: Model,
    fill: dict[str, float],
    levels: dict[str, list[float]],
    optional: frozenset[str] = frozenset(),
) -> str:
    """Why the model does not fit records of this fill and these level frequencies; "" if it does.

    fill: share of records in which each field is filled; levels: by field, the share of candidate
    pairs on each level. What is said of `optional` fields does not count.
    """
    fill = {name: share for name, share in fill.items() if name not in optional}
    levels = {name: shares for name, shares in levels.items() if name not in optional}
    trained_fill = dict(model.about.get("fill", {}))
    trained_levels = dict(model.about.get("levels", {}))
    if set(model.fields) - optional != set(levels):
        missing = sorted(set(model.fields) - optional ^ set(levels))
        return f"other fields are filled ({', '.join(missing)})"
    for name in sorted(fill):
        if abs(fill[name] - float(trained_fill.get(name, 0.0))) > FILL_TOLERANCE:
            return f"{name} is filled in {fill[name]:.0%} of the records, as never in training"
    for name in sorted(levels):
        before = np.array(trained_levels.get(name, []))
        now = np.array(levels[name])
        if before.shape != now.shape or 0.5 * np.abs(before - now).sum() > LEVEL_TOLERANCE:
            return f"{name} agrees with other frequencies than in training"
    return ""
