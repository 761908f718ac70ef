with records as (
    select * from {{ ref('int_customer_records') }}
),

identifiers as (
    select
        person_ids.customer_id,
        identifiers.record_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        coalesce(identifiers.observed_at, identifiers.loaded_at) as seen_at
    from {{ ref('record_identifiers') }} as identifiers
    inner join {{ ref('int_person_ids') }} as person_ids on person_ids.record_id = identifiers.record_id
    where identifiers.identifier_type in ('email', 'phone')
),

held as (
    select customer_id, record_id, 'email' as channel, email as contact_point, seen_at
    from records
    where email is not null
    union all
    select customer_id, record_id, 'phone' as channel, phone as contact_point, seen_at
    from records
    where phone is not null
    union all
    select customer_id, record_id, 'sms' as channel, phone as contact_point, seen_at
    from records
    where phone is not null
    union all
    select customer_id, record_id, 'post' as channel, address as contact_point, seen_at
    from records
    where address is not null
    union all
    select
        customer_id,
        record_id,
        identifier_type as channel,
        identifier_value as contact_point,
        seen_at
    from identifiers
    union all
    select customer_id, record_id, 'sms' as channel, identifier_value as contact_point, seen_at
    from identifiers
    where identifier_type = 'phone'
),

final as (
    select
        customer_id,
        record_id,
        channel,
        contact_point,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from held
    group by customer_id, record_id, channel, contact_point
)

select * from final
