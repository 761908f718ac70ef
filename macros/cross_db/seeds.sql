{#-
    A seed whose columns have changed is made anew, as with --full-refresh; else its rows are replaced. So
    an upgrade that adds a column to a seed needs no word of its user.
-#}
{% macro default__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {%- set held = adapter.get_columns_in_relation(old_relation) | map(attribute='name') | map('lower') | list -%}
    {%- set wanted = agate_table.column_names | map('lower') | list -%}
    {%- if full_refresh or held != wanted -%}
        {%- do adapter.drop_relation(old_relation) -%}
        {{ return(create_csv_table(model, agate_table)) }}
    {%- endif -%}
    {%- do adapter.truncate_relation(old_relation) -%}
    {{ return('truncate table ' ~ old_relation) }}
{%- endmacro %}
