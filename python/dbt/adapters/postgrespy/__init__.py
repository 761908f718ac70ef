"""The adapter type `postgrespy`: Postgres as dbt-postgres serves it, and Python models as well."""

from pathlib import Path

from dbt.adapters.base import AdapterPlugin

from dbt.adapters.postgrespy.connections import (
    PostgresPyConnectionManager,
    PostgresPyCredentials,
)
from dbt.adapters.postgrespy.impl import PostgresPyAdapter

__all__ = ["Plugin", "PostgresPyAdapter", "PostgresPyConnectionManager", "PostgresPyCredentials"]

# dbt finds the macros of an adapter in dbt/include/<type>, beside dbt/adapters.
_MACROS = Path(__file__).resolve().parents[2] / "include" / "postgrespy"

Plugin = AdapterPlugin(
    adapter=PostgresPyAdapter,
    credentials=PostgresPyCredentials,
    include_path=str(_MACROS),
    dependencies=["postgres"],
)
