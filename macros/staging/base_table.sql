{#-
    A raw table with exactly the columns that its sources YAML lists, each as text, as it came.
    A missing optional table or column becomes typed nulls; a missing required one (config.meta.required,
    on the table or the column) is an error that names source, table and column.
    Column names are matched without regard to case and to blanks or a byte-order mark around them.
-#}
{% macro base_table(source_name, table_name) -%}
    {%- set raw = source(source_name, table_name) -%}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {%- set found = namespace(node=none) -%}
    {%- for node in graph.sources.values() -%}
        {%- if node.source_name == source_name and node.name == table_name -%}
            {%- set found.node = node -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set relation = raw_relation(raw) -%}
    {%- if relation is none and (found.node.config.meta or {}).get('required') -%}
        {{ exceptions.raise_compiler_error(
            "Source '" ~ source_name ~ "': the table " ~ raw.schema ~ "." ~ raw.identifier ~ " is missing, and the source cannot do without it. "
            ~ "Load it (kindred load), point " ~ source_name ~ "_schema to where it lies, or take '" ~ source_name ~ "' out of vars.sources.") }}
    {%- endif -%}
    {%- set have = {} -%}
    {%- if relation is not none -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do have.update({column.name.replace('\ufeff', '') | trim | lower: column.name}) -%}
        {%- endfor -%}
    {%- endif -%}
select
    {%- for name, column in found.node.columns.items() %}
        {%- set required = (column.config.meta or column.meta or {}).get('required') -%}
        {%- if relation is not none and required and name | lower not in have -%}
            {{ exceptions.raise_compiler_error(
                "Source '" ~ source_name ~ "': the table " ~ raw.schema ~ "." ~ raw.identifier ~ " has no column '" ~ name
                ~ "', and the source cannot do without it. Add the column, or take '" ~ source_name ~ "' out of vars.sources.") }}
        {%- endif %}
    {{ 'cast(' ~ adapter.quote(have[name | lower]) ~ ' as text)' if name | lower in have else 'cast(null as text)' }} as {{ adapter.quote(name) if name in reserved_names() else name }}{{ ',' if not loop.last }}
    {%- endfor %}
{% if relation is not none -%}
from {{ relation }}
{%- else -%}
where 1 = 0
{%- endif -%}
{%- endmacro %}


{#-
    The raw table as it is called in the warehouse, whatever the case of its letters, or none. The warehouse
    is asked: what dbt remembers of a raw schema it takes down table by table, and a model that is made
    meanwhile by another thread would find those that are not taken down yet missing.
-#}
{% macro raw_relation(raw) -%}
    {%- set alike = [] -%}
    {%- for found in list_relations_without_caching(raw.without_identifier()) -%}
        {%- if found['name'] == raw.identifier -%}
            {{ return(raw) }}
        {%- elif found['name'] | lower == raw.identifier | lower -%}
            {%- do alike.append(found['name']) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(raw.incorporate(path={'identifier': alike | sort | first}) if alike else none) }}
{%- endmacro %}


{#- Column names of connectors that SQL keeps for itself; staging writes them in double quotes. -#}
{% macro reserved_names() -%}
    {{ return(['timestamp', 'index', 'end', 'start', 'type', 'number', 'role', 'order', 'name', 'action']) }}
{%- endmacro %}
