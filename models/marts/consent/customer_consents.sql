with contact_points as (
    select * from {{ ref('contact_points') }}
),

contact_point_consents as (
    select * from {{ ref('int_contact_point_consents') }}
),

person_consents as (
    select * from {{ ref('int_person_consents') }}
),

customers as (
    select distinct customer_id from {{ ref('int_person_ids') }}
),

purposes as (
    select distinct purpose from {{ ref('consent_policy') }}
    where purpose <> 'marketing'
),

combined as (
    select
        contact_points.customer_id,
        'marketing' as purpose,
        contact_points.channel,
        contact_points.contact_point,
        contact_points.is_primary,
        coalesce(consents.status, 'unknown') as status,
        false as is_granted_in_part,
        consents.decided_at,
        consents.expires_at,
        consents.consent_event_id,
        consents.source
    from contact_points
    left join contact_point_consents as consents
        on
            consents.customer_id = contact_points.customer_id
            and consents.channel = contact_points.channel
            and consents.contact_point = contact_points.contact_point
    union all
    select
        customers.customer_id,
        purposes.purpose,
        'any' as channel,
        null as contact_point,
        true as is_primary,
        coalesce(consents.status, 'unknown') as status,
        coalesce(consents.is_granted_in_part, false) as is_granted_in_part,
        consents.decided_at,
        consents.expires_at,
        consents.consent_event_id,
        consents.source
    from customers
    cross join purposes
    left join person_consents as consents
        on
            consents.customer_id = customers.customer_id
            and consents.purpose = purposes.purpose
),

final as (
    select
        {{ generate_surrogate_key(['customer_id', 'purpose', 'channel', 'contact_point']) }} as customer_consent_id,
        customer_id,
        purpose,
        channel,
        contact_point,
        is_primary,
        status,
        status = 'granted' as is_granted,
        case
            when status = 'granted' then 'granted and in force'
            when status = 'denied' then 'denied, withdrawn or objected to'
            when status = 'pending' then 'not confirmed yet'
            when status = 'expired' then 'grant has ended'
            when is_granted_in_part then 'granted, but not for every record of the customer'
            else 'no decision known'
        end as reason,
        consent_event_id,
        source,
        decided_at,
        expires_at
    from combined
)

select * from final
