{#-
    The segments that vars.segments lists, each with what its YAML says: a list of mappings name,
    description, owner, purpose, entity, relation. Refs are captured when dbt parses; the comparison with
    the files and the YAML happens when it compiles.
-#}
{% macro registered_segments() -%}
    {%- set names = var('segments', []) or [] -%}
    {%- set relations = {} -%}
    {%- for name in names -%}
        {%- do relations.update({name: ref('seg_' ~ name)}) -%}
    {%- endfor -%}
    {%- set registered = [] -%}
    {%- if execute -%}
        {%- do check_registration(names) -%}
        {%- for name in names -%}
            {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == 'seg_' ~ name -%}
                {%- set meta = node.config.meta or {} -%}
                {%- for key in ['owner', 'purpose', 'entity'] if not meta.get(key) -%}
                    {{ exceptions.raise_compiler_error(
                        "The segment '" ~ name ~ "' does not say its " ~ key ~ ". Add it under config, meta in the entry of seg_" ~ name
                        ~ " in models/segments/_segments__models.yml.") }}
                {%- endfor -%}
                {%- if meta.entity not in ['customer', 'account'] -%}
                    {{ exceptions.raise_compiler_error(
                        "The segment '" ~ name ~ "' says entity: " ~ meta.entity ~ ". It must be customer or account, as in what seg_" ~ name ~ " selects.") }}
                {%- endif -%}
                {%- if not node.description -%}
                    {{ exceptions.raise_compiler_error(
                        "The segment '" ~ name ~ "' has no description. Add one to the entry of seg_" ~ name ~ " in models/segments/_segments__models.yml.") }}
                {%- endif -%}
                {%- do registered.append({
                    'name': name,
                    'description': node.description | trim,
                    'owner': meta.owner,
                    'purpose': meta.purpose,
                    'entity': meta.entity,
                    'relation': relations[name]
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(registered) }}
{%- endmacro %}


{#- An error that names the line to add where a segment's file is there and its name is not in vars.segments. -#}
{% macro check_registration(names) -%}
    {%- set forgotten = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('seg_') -%}
        {%- if node.name[4:] not in names -%}
            {%- do forgotten.append(node.name[4:]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if forgotten -%}
        {{ exceptions.raise_compiler_error(
            "The segment '" ~ forgotten | sort | first ~ "' is not registered, so nobody would get it. Add this line under vars, segments in dbt_project.yml:\n"
            ~ "    - " ~ forgotten | sort | join("\n    - ")) }}
    {%- endif -%}
{%- endmacro %}


{#- A text as an SQL literal. -#}
{% macro text_literal(value) -%}
    '{{ (value | string).replace("'", "''") }}'
{%- endmacro %}
