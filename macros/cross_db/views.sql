{#-
    How a view is made on DuckDB, which can replace one in a single statement: dbt's own way makes it under
    another name, renames it and the old one, and drops that, which takes nearly twice as long. All else is
    as dbt does it. Where a table is in the way, dbt's own way swaps the two, so that nothing is lost where
    the view cannot be made.
-#}
{% materialization view, adapter='duckdb' %}
    {%- set there = load_cached_relation(this) -%}
    {%- if there is not none and not there.is_view -%}
        {{ return(materialization_view_default()) }}
    {%- endif -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ config.get('sql_header', none) or '' }}
        {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
create or replace view {{ target_relation }} as (
    {{ sql }}
);
    {%- endcall %}
    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(there, full_refresh_mode=True)) -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
