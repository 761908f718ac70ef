{#- One part of what the resolution model found (it can return only one table), its columns renamed. -#}
{% macro resolution_part(resolution, part, columns) -%}
with resolution as (
    select * from {{ resolution }}
),

this_part as (
    select
        {%- for name, alias in columns.items() %}
        {{ name }} as {{ alias }}{{ ',' if not loop.last }}
        {%- endfor %}
    from resolution
    where part = '{{ part }}'
)

select * from this_part
{%- endmacro %}

{#- The stewards' decisions on an entity that are valid at the moment of this run. -#}
{% macro overrides_in_force(entity, overrides, generation) -%}
with overrides as (
    select * from {{ overrides }}
),

this_run as (
    select * from {{ generation }}
),

in_force as (
    select
        cast(overrides.decision as text) as decision,
        cast(overrides.record_id_l as text) as record_id_l,
        cast(overrides.record_id_r as text) as record_id_r,
        cast(overrides.author as text) as author,
        cast(overrides.reason as text) as reason
    from overrides
    cross join this_run
    where
        overrides.entity = '{{ entity }}'
        and (overrides.valid_from is null or cast(overrides.valid_from as timestamp) <= this_run.as_of)
        and (overrides.valid_to is null or cast(overrides.valid_to as timestamp) > this_run.as_of)
)

select * from in_force
{%- endmacro %}

{#-
    The pairs that the last run compared, so that they need not be compared again. They are never
    wrong, whichever run left them: they lie under keys made of the records' content. A full refresh
    compares everything anew.
-#}
{% macro comparisons_as_left(model_name) -%}
{{ previous(model_name, {'kind': 'text', 'chunk': 'bigint', 'settings': 'text', 'packed': 'bytea'}) }}
    {%- if flags.FULL_REFRESH %}
limit 0
    {%- endif %}
{%- endmacro %}

{#-
    Key of a pair in the review queue: it stays the same from run to run. The command that takes
    decisions back makes the same key (kindred.identity.review_file.review_id).
-#}
{% macro review_key(entity, record_id_l, record_id_r) -%}
'rev_' || {{ generate_surrogate_key([entity, record_id_l, record_id_r]) }}
{%- endmacro %}
