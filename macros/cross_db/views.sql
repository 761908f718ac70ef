{#-
    How a view is made on DuckDB, which can replace one in a single statement: half the time of dbt's own
    way, which makes it under another name, renames it and the old one, and drops that. Most models are
    views, and what a small run costs is mostly such statements. Where a table is in the way, dbt's own way
    swaps the two, so that nothing is lost where the view cannot be made.
-#}
{% materialization view, adapter='duckdb' %}
    {%- set there = load_cached_relation(this) -%}
    {%- if there is not none and not there.is_view -%}
        {{ return(materialization_view_default()) }}
    {%- endif -%}
    {%- set built = create_or_replace_view() -%}
    {%- do adapter.commit() -%}
    {{ return(built) }}
{% endmaterialization %}

{% macro duckdb__get_create_view_as_sql(relation, sql) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
create or replace view {{ relation }} as (
    {{ sql }}
);
{%- endmacro %}
