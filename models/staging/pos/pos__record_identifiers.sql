{{ config(enabled=source_is_on('pos')) }}

with members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

identifiers as (
    select
        record_id,
        'loyalty_id' as identifier_type,
        loyalty_id as identifier_value,
        joined_at as observed_at,
        loaded_at
    from members
    union all
    select
        record_id,
        'email' as identifier_type,
        email as identifier_value,
        joined_at as observed_at,
        loaded_at
    from members
    union all
    select
        record_id,
        'phone' as identifier_type,
        phone as identifier_value,
        joined_at as observed_at,
        loaded_at
    from members
),

final as (
    select
        record_id,
        'pos' as source,
        identifier_type,
        identifier_value,
        observed_at,
        loaded_at
    from identifiers
    where identifier_value is not null
)

select * from final
