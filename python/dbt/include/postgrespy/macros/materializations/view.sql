{#-
    Views. One that is there is replaced in place: what reads it stays, and nothing else is locked. Where
    its columns change it is dropped first, with what reads it.
-#}
{% materialization view, adapter="postgrespy" %}

    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set grant_config = config.get('grants') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set kind = postgrespy__kind_of(target_relation) -%}
    {% if kind is not none and (kind != 'view' or not postgrespy__is_replaceable(target_relation, sql)) %}
        {% do postgrespy__wait_for_other_swaps() %}
        {% do postgrespy__drop_if_there(target_relation) %}
    {% endif %}
    {% call statement('main') -%}
        {{ get_replace_view_sql(target_relation, sql) }}
    {%- endcall %}

    {% set should_revoke = should_revoke(existing_relation, full_refresh_mode=True) %}
    {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {{ adapter.commit() }}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
