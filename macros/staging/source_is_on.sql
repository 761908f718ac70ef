{#- Whether a source is among `vars.sources`; with a stream's name, whether it feeds that stream. -#}
{% macro source_is_on(source_name, stream=none) -%}
    {%- set sources = var('sources', {}) or {} -%}
    {%- if stream is none -%}
        {{ return(source_name in sources) }}
    {%- endif -%}
    {{ return(source_name in sources and stream in (sources[source_name] or [])) }}
{%- endmacro %}
