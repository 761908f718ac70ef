{#-
    Tables, for SQL and for Python models. The new table is made beside the old one and takes its place
    in one transaction; views on it and grants stay.
-#}
{% materialization table, adapter="postgrespy", supported_languages=["sql", "python"] %}

    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set intermediate_relation = make_intermediate_relation(target_relation) -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% do postgrespy__drop_if_there(intermediate_relation) %}
    {% if model['language'] == 'python' %}
        {% call statement('main', language='python') -%}
            {{ postgrespy__python_model(compiled_code, intermediate_relation) }}
        {%- endcall %}
    {% else %}
        {% call statement('main') -%}
            {{ get_create_table_as_sql(False, intermediate_relation, sql) }}
        {%- endcall %}
    {% endif %}

    {% do create_indexes(intermediate_relation) %}
    {#- The models behind it are planned at once, before the server would look at the table itself. -#}
    {% do run_query('analyze ' ~ intermediate_relation) %}
    {% do postgrespy__swap(intermediate_relation, target_relation) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% set should_revoke = should_revoke(existing_relation, full_refresh_mode=True) %}
    {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke) %}
    {% do persist_docs(target_relation, model) %}

    {{ adapter.commit() }}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#- A compiled Python model with the name of the table that its result goes to. -#}
{% macro postgrespy__python_model(compiled_code, relation) -%}
{{ compiled_code }}

target_relation = {{ relation | string | tojson }}
{%- endmacro %}
