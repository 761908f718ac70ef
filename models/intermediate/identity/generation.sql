{#- The number of this run: one more than the last run that reached its end. -#}
with finished as (
    select * from {{ ref('int_run_history_prior') }}
),

this_run as (
    select
        cast(coalesce(max(finished.generation), 0) + 1 as bigint) as generation,
        cast('{{ invocation_id }}' as text) as run_id,
        {{ as_of() }} as as_of
    from finished
)

select * from this_run
