{#-
    Which id every record carried after run `generation` (an integer), from the changes of ids: the
    last record_moved row up to then. Ask it of a generation that run_history has.
-#}
{% macro assignments_as_of(changes, id, generation) -%}
with changes as (
    select * from {{ changes }}
),

moves as (
    select
        record_id,
        to_{{ id }} as {{ id }},
        generation as since_generation,
        row_number() over (
            partition by record_id
            order by generation desc
        ) as newest
    from changes
    where
        event = 'record_moved'
        and generation <= {{ generation | int }}
),

assignments as (
    select
        record_id,
        {{ id }},
        since_generation
    from moves
    where
        newest = 1
        and {{ id }} is not null
)

select * from assignments
{%- endmacro %}
