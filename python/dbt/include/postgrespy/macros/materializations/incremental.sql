{#-
    Tables that grow, as dbt has them; only that one that is made anew takes the old one's place as any
    table does (table.sql), so that views on it and grants stay.
-#}
{% materialization incremental, adapter="postgrespy", supported_languages=["sql"] %}
    {%- if load_cached_relation(this) is not none and should_full_refresh() -%}
        {{ return(materialization_table_postgrespy()) }}
    {%- endif -%}
    {{ return(materialization_incremental_default()) }}
{% endmaterialization %}
