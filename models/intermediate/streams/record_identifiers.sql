with contributions as (
    {{ union_contributions('record_identifiers') }}
),

first_seen as (
    select
        record_id,
        source,
        identifier_type,
        identifier_value,
        cast(min(observed_at) as timestamp) as observed_at,
        cast(min(loaded_at) as timestamp) as loaded_at
    from contributions
    group by record_id, source, identifier_type, identifier_value
)

select * from first_seen
