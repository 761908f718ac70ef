{#-
    How DuckDB takes the rows of a Python model, in place of the macro of dbt-duckdb. That one makes a table
    of the file of what an incremental run hands over, as it would of the model itself, and nobody drops it:
    whatever was written there once, names and contact points with it, would stay. Here it is a view of what
    lies in memory, and no copy of it is made.
    In such a run the model has to return a relation of its session: nobody else sees a temporary view.
-#}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}


def materialize(rows, con):
    {%- if temporary %}
    con.register('{{ relation.identifier }}', rows)
    {%- else %}
    con.register('rows_of_the_model', rows)
    con.execute('create table {{ relation }} as select * from rows_of_the_model')
    con.unregister('rows_of_the_model')
    {%- endif %}
{%- endmacro %}
