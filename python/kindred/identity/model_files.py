"""Trained models as versioned JSON: shipped with the package, saved by a run, or given by file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity.entity import Comparison, Entity
from kindred.identity.mixture import LEAST_U, FloatArray, Model, of_fields

FORMAT = 1
# How far field fill may lie from the training data's (shares, 0 to 1).
FILL_TOLERANCE = 0.15
# By how many bits a pair may surprise a model in a field, on average.
MOST_SURPRISE = 0.05
# The same of strangers: among few values some are alike by chance.
MOST_SURPRISE_OF_STRANGERS = 0.2
# Share of the likely matches on other levels than in training at which a field is reported.
LEVEL_TOLERANCE = 0.1


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
def _shipped_says(entity: Entity, fields: tuple[str, ...]) -> list[list[float]]:
    """What the shipped model says of these fields; nothing where it does not know them all."""
    model = shipped(entity)
    if model is None or not set(fields) <= set(model.fields):
        return []
    return _says(of_fields(model, fields), entity)


def _says(model: Model, entity: Entity) -> list[list[float]]:
    """How matches and strangers agree in each field, which no number of records changes."""
    holders = {c.field for c in entity.comparisons if c.holders_of}
    return [
        [*model.m[i].tolist(), *model.u[i].tolist()]
        for i, name in enumerate(model.fields)
        if name not in holders
    ]


def digest(model: Model, entity: Entity) -> str:
    """Twelve characters that are the same for models that weigh every pair alike."""
    content = {name: part for name, part in to_dict(model, entity).items() if name != "about"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def version(model: Model, entity: Entity, asked: str) -> str:
    """The model's origin and digest, such as shipped-0123456789ab.

    asked: auto, shipped, train, or the path of a file. The origin is `shipped` (also where the
    kinds of pairs have the shares of this run), `trained` (on the records of the run) or the name
    of the file.
    """
    found = digest(model, entity)
    if model.fields and _says(model, entity) == _shipped_says(entity, model.fields):
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


def other_records(
    model: Model,
    fields: Sequence[str],
    fill: dict[str, float],
    optional: frozenset[str] = frozenset(),
) -> str:
    """Why the model was made for other records than those; "" if it was not.

    fields: what is compared; fill: share of records in which each field is filled. What is said of
    `optional` fields does not count.
    """
    missing = sorted((set(model.fields) ^ set(fields)) - optional)
    if missing:
        return f"other fields are filled ({', '.join(missing)})"
    trained = dict(model.about.get("fill", {}))
    for name in sorted(set(fill) - optional):
        if abs(fill[name] - float(trained.get(name, 0.0))) > FILL_TOLERANCE:
            return f"{name} is filled in {fill[name]:.0%} of the records, as never in training"
    return ""


def misfit(
    model: Model,
    comparisons: Sequence[Comparison],
    likely: Sequence[FloatArray],
    strangers: Sequence[FloatArray],
) -> str:
    """Why the model does not fit such pairs; "" if it does.

    likely, strangers: for each of the comparisons, which are the model's, the share of its likely
    matches, and of strangers, on each level. Neither depends on how many records there are, nor on
    how candidate pairs were chosen, but for the number of namesakes: that one does not count, nor
    do optional fields.
    """
    for i, comparison in enumerate(comparisons):
        if comparison.optional or comparison.holders_of:
            continue
        # How often strangers share a value outright is weighed by how rare the value is.
        told = len(model.u[i]) - comparison.rarity
        for kind, found, expected, most in (
            ("likely matches", likely[i], model.m[i], MOST_SURPRISE),
            ("strangers", strangers[i][:told], model.u[i][:told], MOST_SURPRISE_OF_STRANGERS),
        ):
            if surprise(found, expected) > most:
                return f"{kind} agree in {comparison.field} otherwise than in training"
    return ""


def surprise(found: FloatArray, expected: FloatArray) -> float:
    """Bits by which a mean pair surprises who expects other shares of levels (relative entropy)."""
    one, two = (np.maximum(x / x.sum(), LEAST_U) for x in (found, expected))
    return float((one * np.log2(one / two)).sum())
