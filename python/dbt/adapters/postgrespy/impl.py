"""dbt-postgres that also runs Python models, in the dbt process.

A Python model is given DuckDB relations in memory, as dbt-duckdb gives it, so that one file serves
both engines: inputs come by COPY, the result goes back by COPY, in the transaction that dbt opened
for the model. A model that fails leaves nothing behind.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

import duckdb
import pyarrow as pa
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.postgres.impl import PostgresAdapter
from dbt_common.exceptions import DbtRuntimeError

from dbt.adapters.postgrespy.connections import PostgresPyConnectionManager
from kindred.warehouse.postgres_copy import create_table, read_query, write_rows


class PostgresPyAdapter(PostgresAdapter):
    """The adapter behind `type: postgrespy`."""

    ConnectionManager = PostgresPyConnectionManager

    def _link_cached_relations(self, manifest: Any) -> None:
        """Views are not dropped with what they read, so that dbt need not know who reads what."""

    def submit_python_job(
        self, parsed_model: dict[str, Any], compiled_code: str
    ) -> AdapterResponse:
        """Run a compiled Python model and write its result into the table it names.

        `compiled_code` defines `model`, dbt's own helpers and `target_relation` (see the macro
        postgrespy__python_model). Errors of the model come as DbtRuntimeError with its trace.
        """
        connection = self.connections.get_thread_connection()
        if not connection.transaction_open:
            self.connections.begin()
        # Lazily opened: `handle` connects where nothing was asked of this thread yet.
        handle = connection.handle
        with duckdb.connect() as session:
            session.execute("set timezone = 'UTC'; set enable_progress_bar = false")

            def relation(name: str) -> duckdb.DuckDBPyRelation:
                # The name is dbt's own rendering of a relation.
                return session.from_arrow(read_query(handle, f"select * from {name}"))  # noqa: S608

            try:
                module, found = _run(compiled_code, parsed_model["alias"], session, relation)
                rows = _as_arrow(found)
                is_unlogged = bool(parsed_model["config"].get("unlogged"))
                create_table(handle, module.target_relation, rows.schema, is_unlogged=is_unlogged)
                count = write_rows(handle, module.target_relation, rows)
            except Exception as error:
                self.connections.rollback_if_open()
                trace = "".join(traceback.format_exception(error))
                raise DbtRuntimeError(f"Python model failed:\n{trace}") from error
        return AdapterResponse(_message=f"COPY {count}", code="COPY", rows_affected=count)


def _run(
    code: str,
    name: str,
    session: duckdb.DuckDBPyConnection,
    relation: Callable[[str], duckdb.DuckDBPyRelation],
) -> tuple[ModuleType, Any]:
    """Execute the compiled model; the module it made and what its `model` returned."""
    module = ModuleType(name)
    # The code is the project's own model, compiled by dbt.
    exec(compile(code.lstrip(), f"{name}.py", "exec"), module.__dict__)  # noqa: S102
    return module, module.model(module.dbtObj(relation), session)


def _as_arrow(found: Any) -> pa.Table | pa.RecordBatchReader:
    """What a model may return, as Arrow: a table, batches, a DuckDB relation or a data frame."""
    if isinstance(found, pa.Table | pa.RecordBatchReader):
        return found
    if isinstance(found, duckdb.DuckDBPyRelation):
        return found.to_arrow_table()
    if hasattr(found, "to_arrow"):
        return found.to_arrow()
    return pa.Table.from_pandas(found, preserve_index=False)
