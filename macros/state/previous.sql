{#-
    The rows of a state model as earlier runs left them: the relation if it exists, else a typed
    empty select. It holds no ref, so that a model may read what it wrote in an earlier run without
    a cycle. Only int_*_prior models call it.
    columns: the columns and types of an empty select, as a mapping name -> type.
-#}
{% macro previous(model_name, columns) -%}
    {%- set found = namespace(relation=none) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if node.resource_type == 'model' and node.name == model_name -%}
                {%- set found.relation = adapter.get_relation(
                    database=node.database, schema=node.schema, identifier=node.alias) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if found.relation is not none -%}
        {%- set have = adapter.get_columns_in_relation(found.relation) | map(attribute='name') | map('lower') | list -%}
select
        {%- for name, type in columns.items() %}
    {{ 'cast(' ~ name ~ ' as ' ~ type ~ ')' if name in have else 'cast(null as ' ~ type ~ ')' }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
from {{ found.relation }}
    {%- else -%}
select
        {%- for name, type in columns.items() %}
    cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
where 1 = 0
    {%- endif -%}
{%- endmacro %}
