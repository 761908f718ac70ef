{#- The moment the build speaks of, as a timestamp expression: the var `as_of` (UTC), or the start of the run. -#}
{% macro as_of() -%}
    {%- set given = var('as_of', none) -%}
    {%- if given is none or given == '' -%}
        {%- set moment = run_started_at -%}
    {%- else -%}
        {%- set moment = modules.datetime.datetime.min -%}
        {%- set text = moment_text(given) -%}
        {%- if not modules.re.fullmatch(moment_pattern(), text) -%}
            {%- do check_settings() -%}
        {%- endif -%}
        {{ return("cast('" ~ text ~ "' as timestamp)") }}
    {%- endif -%}
    {{ return("cast('" ~ moment.strftime('%Y-%m-%d %H:%M:%S') ~ "' as timestamp)") }}
{%- endmacro %}


{#- The var as_of as it stands in a statement, and the form it must then have. -#}
{% macro moment_text(given) -%}
    {{ return((given | string).strip().replace('Z', '').replace('T', ' ')) }}
{%- endmacro %}
{% macro moment_pattern() -%}
    {{ return('[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?)?') }}
{%- endmacro %}
