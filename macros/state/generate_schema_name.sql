{#-
    Where a model is built. In the schema `kindred` (production) a folder's schema is taken as it is;
    in any other target schema, such as a developer's own, it is prefixed with that schema's name.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- do check_settings() -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.schema == 'kindred' -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
