{#-
    How a table is made on DuckDB: beside the old one, which is dropped, and the new one takes its name, all in
    one statement. dbt's own way asks for indexes, renames both tables and drops the old one behind the commit,
    each a statement by itself, rendered with all macros of the project. All else is as dbt does it. A table that
    a key refers to can be neither renamed nor dropped: where a contract asks for keys, dbt's own way minds what
    hangs on them. A Python model has no contract, and dbt lets none but the first materialization run it.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set keys = enforced_constraint_types() | select('in', ['primary_key', 'unique', 'foreign_key']) | list -%}
    {%- if model.language == 'sql' and (keys or adapter.is_ducklake(target_relation)) -%}
        {{ return(dbt.materialization_table_duckdb()) }}
    {%- endif -%}
    {%- set there = load_cached_relation(this) -%}
    {%- set made = make_intermediate_relation(target_relation) -%}
    {#- What a run that was killed may have left. -#}
    {%- for left in [made, make_backup_relation(target_relation, 'table')] -%}
        {{ drop_relation_if_exists(load_cached_relation(left)) }}
    {%- endfor -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set swap -%}
drop {{ there.type if there is not none else 'table' }} if exists {{ target_relation }};
alter table {{ made }} rename to {{ adapter.quote(target_relation.identifier) }};
    {%- endset -%}
    {% call statement('main', language=model.language) -%}
        {{ create_table_as(False, made, compiled_code, model.language) }}
        {%- if model.language == 'sql' %}
{{ swap }}
        {%- endif -%}
    {%- endcall %}
    {%- if model.language != 'sql' -%}
        {% call statement('swap') -%}{{ swap }}{%- endcall %}
    {%- endif -%}
    {%- if there is not none and not there.is_table -%}{%- do adapter.cache_dropped(there) -%}{%- endif -%}
    {%- do create_indexes(target_relation) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(there, full_refresh_mode=True)) -%}
    {%- do persist_docs(target_relation, model) -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
