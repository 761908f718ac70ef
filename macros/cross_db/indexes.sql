{#-
    Indexes of a table on Postgres: those of its config, and on a public mart one for each column that
    other tables are joined by. Where a record is only named, by the text that stands in a source, its id
    may have any length: a hash index takes it. DuckDB needs none: it reads columns whole.
-#}
{% macro postgres__create_indexes(relation) -%}
    {%- set wanted = config.get('indexes', default=[]) | list -%}
    {%- if model.access == 'public' -%}
        {%- for column in model.columns if column in joined_columns() -%}
            {%- do wanted.append({'columns': [column], 'type': 'hash' if column == 'record_id' else 'btree'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for index in wanted -%}
        {%- set create_index = get_create_index_sql(relation, index) -%}
        {%- if create_index -%}{%- do run_query(create_index) -%}{%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- The keys by which people join marts. -#}
{% macro joined_columns() -%}
    {{ return(['customer_id', 'account_id', 'record_id']) }}
{%- endmacro %}
