{#-
    What comes from outside, checked before any of it can reach a statement: vars, and the names of the
    target. A value of another form than dbt_project.yml describes is refused, with all others at once.
    generate_schema_name calls this for every node, so that no command of dbt goes past it.
-#}
{% macro check_settings() -%}
    {%- set found = [] -%}
    {%- for problem in settings_problems() -%}{%- do found.append('- ' ~ problem) -%}{%- endfor -%}
    {%- if found -%}
        {{ exceptions.raise_compiler_error("Settings that cannot be used:\n" ~ found | join("\n")) }}
    {%- endif -%}
{%- endmacro %}


{#- What is wrong with the settings, one text each: the name of the var, and the form it must have. -#}
{% macro settings_problems() -%}
    {%- set found = [] -%}
    {%- set match = modules.re.fullmatch -%}
    {%- set name = '[A-Za-z_][A-Za-z0-9_]*' -%}
    {%- set whole_number = '[0-9]{1,9}' -%}

    {%- set given = moment_given() -%}
    {%- if given is not none and not match('|' ~ moment_pattern(), moment_text(given)) -%}
        {%- do found.append('The var as_of is not a timestamp: write it as 2026-06-30 or 2026-06-30T12:00:00 (UTC).') -%}
    {%- endif -%}

    {%- set known = countries() | map(attribute='code') | list -%}
    {%- if var('default_country', 'US') | string | upper not in known -%}
        {%- do found.append('The var default_country is no country of macros/standardise/countries.sql: write a two-letter ISO code, such as US.') -%}
    {%- endif -%}

    {%- set given = var('sources', {}) or {} -%}
    {%- if not (given is mapping and are_matching(given.keys(), name) and are_lists(given.values(), name)) -%}
        {%- do found.append('The var sources is no mapping of sources to lists of streams: write one source a line, as `stripe: [person_records]`, in letters, digits and underscores.') -%}
    {%- endif -%}

    {%- if not are_lists([var('segments', []) or []], name) -%}
        {%- do found.append('The var segments is no list of names: write one a line, as `- new_customers`, in letters, digits and underscores.') -%}
    {%- endif -%}

    {%- for setting, example in {'junk_max_names_per_contact': 20, 'junk_max_names_per_address': 40, 'identity_review_limit': 500}.items() -%}
        {%- if not match(whole_number, var(setting, example) | string) -%}
            {%- do found.append('The var ' ~ setting ~ ' is no whole number: write it as ' ~ example ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set given = var('identity_model', 'auto') -%}
    {%- set parts = given.values() if given is mapping else [given] -%}
    {%- if not (are_matching(parts, '[^\'"`{}%;\\x00-\\x1f]+') and (given is string or are_entities(given))) -%}
        {%- do found.append('The var identity_model is neither auto, shipped, train nor a path without quotes and braces: write it as auto, or as {person: models/my_model.json}.') -%}
    {%- endif -%}

    {%- for setting, form, example in [
        ['identity_cut', '-?[0-9]{1,3}([.][0-9]+)?', '{person: 4.5, account: null}'],
        ['identity_largest_cluster', whole_number, '{person: 100, account: 500}'],
    ] -%}
        {%- set given = var(setting, none) or {} -%}
        {%- if not (are_entities(given) and are_matching(given.values(), form, nulls=true)) -%}
            {%- do found.append('The var ' ~ setting ~ ' is no mapping of person and account to numbers: write it as ' ~ example ~ '.') -%}
        {%- endif -%}
    {%- endfor -%}

    {%- set given = var('identity_deduplicated_sources', none) or {} -%}
    {%- if not (are_entities(given) and are_lists(given.values(), name ~ '(:' ~ name ~ ')?')) -%}
        {%- do found.append('The var identity_deduplicated_sources is no mapping of person and account to lists of sources: write it as {person: [salesforce, zendesk:user]}.') -%}
    {%- endif -%}

    {%- set given = var('identity_diff_limits', none) or {} -%}
    {%- if not (given is mapping and are_matching(given.keys(), name) and are_matching(given.values(), '[0-9]{1,9}([.][0-9]+)?%?', nulls=true)) -%}
        {%- do found.append('The var identity_diff_limits is no mapping of limits to shares or numbers: write it as {merged: 1%, consent_gained: 0}.') -%}
    {%- endif -%}

    {%- set given = var('postgres_roles', none) or {} -%}
    {%- if not (given is mapping and are_matching(given.keys(), 'owner|build|bi|privacy') and are_matching(given.values(), name_of_a_place())) -%}
        {%- do found.append('The var postgres_roles is no mapping of owner, build, bi and privacy to names of roles: write it as {bi: reporting}.') -%}
    {%- endif -%}

    {%- set places = {'schema of the target in profiles.yml': target.schema, 'database of the target in profiles.yml': target.database} -%}
    {%- set sources = var('sources', {}) -%}
    {%- for source_name in (sources.keys() | list if sources is mapping else []) + ['privacy'] -%}
        {%- for part in ['schema', 'database'] -%}
            {%- set setting = source_name ~ '_' ~ part -%}
            {%- do places.update({'var ' ~ setting: var(setting, none)}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for place, given in places.items() if given is not none -%}
        {%- if not match(name_of_a_place(), given | string) -%}
            {%- do found.append('The ' ~ place ~ ' is no name of a schema or database: write one without quotes, braces and semicolons, of 63 letters at most.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{#- A schema or database: no sign that ends a quoted name or a text. -#}
{% macro name_of_a_place() -%}
    {{ return('[^\'"`{};\\\\\\x00-\\x1f]{1,63}') }}
{%- endmacro %}


{#- Whether each value, as text, has a form; with `nulls`, or is null. -#}
{% macro are_matching(values, form, nulls=false) -%}
    {%- set odd = [] -%}
    {%- for value in values if not (nulls and value is none) -%}
        {%- if value is mapping or (value is iterable and value is not string) or not modules.re.fullmatch(form, value | string) -%}
            {%- do odd.append(value) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(odd | length == 0) }}
{%- endmacro %}


{#- Whether each value is a list (or null) of texts that have a form. -#}
{% macro are_lists(values, form) -%}
    {%- set odd = [] -%}
    {%- for value in values if value is not none -%}
        {%- if value is string or value is mapping or value is not iterable or not are_matching(value, form) -%}
            {%- do odd.append(value) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(odd | length == 0) }}
{%- endmacro %}


{#- Whether a value is a mapping with no key but person and account. -#}
{% macro are_entities(given) -%}
    {{ return(given is mapping and are_matching(given.keys(), 'person|account')) }}
{%- endmacro %}
