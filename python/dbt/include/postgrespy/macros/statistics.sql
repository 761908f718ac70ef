{#-
    What is told of a relation when it stands: its descriptions, as dbt does it for every kind of table, and
    to the server what is in it. Of a table without statistics Postgres believes that it is nearly empty, and
    a join that loops over it takes minutes. Tables that are made anew are looked at before they
    are swapped in (materializations/table.sql); here are those that grow.
-#}
{% macro postgrespy__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- do default__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if config.get('materialized') in ('incremental', 'seed', 'snapshot') -%}
        {%- do run_query('analyze ' ~ relation) -%}
    {%- endif -%}
{%- endmacro %}
