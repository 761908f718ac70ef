{#- The moment the build speaks of (UTC), as a timestamp expression: the one given, or the start of the run. -#}
{% macro as_of() -%}
    {%- set given = moment_given() -%}
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


{#-
    The moment that was asked for: what `kindred build --as-of` hands over, else the var as_of. dbt would read the
    whole project anew for another value of a var, and so it would for a variable of the environment
    that it saw while reading; this one it sees when the project has been read. A unit test has vars of its own.
-#}
{% macro moment_given() -%}
    {%- set handed = '' -%}
    {%- if execute and (model is not defined or model.resource_type != 'unit_test') -%}
        {%- set handed = env_var('KINDRED_AS_OF', '') -%}
    {%- endif -%}
    {{ return(handed or var('as_of', none)) }}
{%- endmacro %}


{#- The moment as it stands in a statement, and the form it must then have. -#}
{% macro moment_text(given) -%}
    {{ return((given | string).strip().replace('Z', '').replace('T', ' ')) }}
{%- endmacro %}
{% macro moment_pattern() -%}
    {{ return('[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?)?') }}
{%- endmacro %}
