{{ config(enabled=source_is_on('shopify')) }}

with customers as (
    select * from {{ ref('stg_shopify__customers') }}
    where email_consent_signal is not null
),

decided as (
    select
        customers.*,
        case
            when email_consent_state = 'subscribed' and email_opt_in_level = 'confirmed_opt_in'
                then 'doi_confirmed'
            when email_consent_state = 'subscribed' then 'grant'
            when email_consent_state in ('unsubscribed', 'redacted') then 'withdraw'
            when email_consent_state = 'pending' then 'doi_requested'
            when email_consent_state in ('not_subscribed', 'invalid') then 'source_default'
            when accepts_marketing then 'grant'
            when not accepts_marketing then 'source_default'
        end as action
    from customers
),

-- where the shop does not say when, a permission is as old, and a refusal as new, as it can be
dated as (
    select
        decided.*,
        case
            when email_consent_updated_at is not null then email_consent_updated_at
            when action in ('grant', 'doi_confirmed', 'doi_requested') then created_at
            else coalesce(updated_at, created_at)
        end as decided_at
    from decided
),

events as (
    select
        'shopify:customer:' || customer_id || ':email' as consent_event_id,
        'shopify' as source,
        record_id,
        case when email is not null then 'email' else 'shopify_id' end as identifier_type,
        coalesce(email, customer_id) as identifier_value,
        null as brand,
        'marketing' as purpose,
        'email' as channel,
        action,
        case when action in ('grant', 'doi_confirmed') then 'consent' end as legal_basis,
        decided_at as occurred_at,
        decided_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        'web shop' as method,
        null as actor,
        country_code as jurisdiction,
        concat_ws(':', email_consent_signal, email_opt_in_level) as raw_signal,
        loaded_at
    from dated
)

select * from events
