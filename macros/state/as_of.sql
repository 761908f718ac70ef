{#- The moment the build speaks of, as a timestamp expression: the var `as_of` (UTC), or the start of the run. -#}
{% macro as_of() -%}
    {%- set given = var('as_of', none) -%}
    {%- if given is none or given == '' -%}
        {%- set moment = run_started_at -%}
    {%- else -%}
        {%- set moment = modules.datetime.datetime.min -%}
        {%- set text = (given | string).strip().replace('Z', '').replace('T', ' ') -%}
        {%- if not modules.re.match('^\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?)?$', text) -%}
            {{ exceptions.raise_compiler_error("The var as_of is not a timestamp: write it as 2026-06-30 or 2026-06-30T12:00:00 (UTC).") }}
        {%- endif -%}
        {{ return("cast('" ~ text ~ "' as timestamp)") }}
    {%- endif -%}
    {{ return("cast('" ~ moment.strftime('%Y-%m-%d %H:%M:%S') ~ "' as timestamp)") }}
{%- endmacro %}
