with records as (
    select
        customer_id,
        count(*) as record_count,
        count(distinct source) as source_count,
        {{ dbt.listagg('distinct source', "', '", 'order by source') }} as sources,
        min(created_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from {{ ref('int_customer_records') }}
    group by customer_id
),

attributes as (
    select * from {{ ref('int_customer_attributes') }}
),

traits as (
    select * from {{ ref('int_customer_traits') }}
),

main_accounts as (
    select * from {{ ref('customer_accounts') }}
    where is_primary
),

contact_consents as (
    select
        customer_id,
        max(case when channel = 'email' then 1 else 0 end) = 1 as can_email,
        max(case when channel = 'sms' then 1 else 0 end) = 1 as can_sms,
        max(case when channel = 'phone' then 1 else 0 end) = 1 as can_phone,
        max(case when channel = 'post' then 1 else 0 end) = 1 as can_post
    from {{ ref('contact_points') }}
    where is_primary and can_contact
    group by customer_id
),

person_consents as (
    select
        customer_id,
        max(case when purpose = 'personalisation' then 1 else 0 end) = 1 as can_personalise,
        max(case when purpose = 'profiling' then 1 else 0 end) = 1 as can_profile,
        max(case when purpose = 'ads' then 1 else 0 end) = 1 as can_share_with_ads
    from {{ ref('int_person_consents') }}
    where status = 'granted'
    group by customer_id
),

final as (
    select
        records.customer_id,
        main_accounts.account_id,

        attributes.first_name,
        attributes.last_name,
        attributes.full_name,
        attributes.email,
        attributes.phone,
        attributes.address,
        attributes.street,
        attributes.city,
        attributes.region,
        attributes.postcode,
        attributes.country_code,
        attributes.birth_date,
        attributes.company_name,
        attributes.job_title,

        records.sources,
        records.record_count,
        records.source_count,

        traits.currency,
        traits.order_count,
        traits.orders_30d,
        traits.orders_90d,
        traits.orders_365d,
        traits.revenue_amount,
        traits.revenue_30d_amount,
        traits.revenue_90d_amount,
        traits.revenue_365d_amount,
        traits.average_order_amount,
        traits.other_currency_transaction_count,

        traits.recency_score,
        traits.frequency_score,
        traits.monetary_score,
        traits.lifecycle_stage,
        traits.engagement_score,

        traits.activity_count,
        traits.activity_count_30d,
        traits.activity_count_90d,
        traits.activity_count_365d,
        traits.email_responses_90d,
        traits.ticket_count,
        traits.open_ticket_count,

        main_accounts.account_id is not null as is_b2b,
        coalesce(contact_consents.can_email, false) as can_email,
        coalesce(contact_consents.can_sms, false) as can_sms,
        coalesce(contact_consents.can_phone, false) as can_phone,
        coalesce(contact_consents.can_post, false) as can_post,
        coalesce(person_consents.can_personalise, false) as can_personalise,
        coalesce(person_consents.can_profile, false) as can_profile,
        coalesce(person_consents.can_share_with_ads, false) as can_share_with_ads,

        records.first_seen_at,
        records.last_seen_at,
        traits.first_order_at,
        traits.last_order_at,
        traits.first_activity_at,
        traits.last_activity_at
    from records
    left join attributes on attributes.customer_id = records.customer_id
    left join traits on traits.customer_id = records.customer_id
    left join main_accounts on main_accounts.customer_id = records.customer_id
    left join contact_consents on contact_consents.customer_id = records.customer_id
    left join person_consents on person_consents.customer_id = records.customer_id
)

select * from final
