with record_contact_points as (
    select * from {{ ref('int_record_contact_points') }}
),

attributes as (
    select * from {{ ref('int_customer_attributes') }}
),

consents as (
    select * from {{ ref('int_contact_point_consents') }}
),

grouped as (
    select
        customer_id,
        channel,
        contact_point,
        count(*) as record_count,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from record_contact_points
    group by customer_id, channel, contact_point
),

final as (
    select
        {{ generate_surrogate_key(['grouped.customer_id', 'grouped.channel', 'grouped.contact_point']) }} as contact_point_id,
        grouped.customer_id,
        grouped.channel,
        grouped.contact_point,
        grouped.record_count,
        coalesce(
            grouped.contact_point = case grouped.channel
                when 'email' then attributes.email
                when 'post' then attributes.address
                else attributes.phone
            end,
            false
        ) as is_primary,
        coalesce(consents.status = 'granted', false) as can_contact,
        grouped.first_seen_at,
        grouped.last_seen_at
    from grouped
    left join attributes on attributes.customer_id = grouped.customer_id
    left join consents
        on
            consents.customer_id = grouped.customer_id
            and consents.channel = grouped.channel
            and consents.contact_point = grouped.contact_point
)

select * from final
