"""Reference lists the matching uses: first names and nicknames, free-mail domains, suffixes, junk.

In a dbt run they are the seeds of seeds/reference as tables; elsewhere the same CSV files are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

NAMES = ("nicknames", "given_names", "freemail_domains", "junk_patterns", "legal_suffixes")

Reference = Mapping[str, pa.Table]


def seeds_folder() -> Path:
    """seeds/reference of the project that this package belongs to, or of the current folder."""
    from kindred.errors import KindredError

    here = Path(__file__).resolve()
    for root in [*here.parents, Path.cwd(), *Path.cwd().parents]:
        folder = root / "seeds" / "reference"
        if (folder / "nicknames.csv").is_file():
            return folder
    raise KindredError(
        "The reference lists (seeds/reference) were not found.",
        "run the command inside the Kindred project.",
    )


def load_reference(folder: Path | None = None) -> dict[str, pa.Table]:
    """Read the lists from `folder` (default: the project's seeds/reference), every column text."""
    place = folder or seeds_folder()
    return {name: as_text(csv.read_csv(place / f"{name}.csv")) for name in NAMES}


def as_text(table: pa.Table) -> pa.Table:
    """The table with every column as text, as the matching reads the lists."""
    return table.cast(pa.schema([pa.field(name, pa.string()) for name in table.column_names]))
