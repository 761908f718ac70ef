{{ config(enabled=source_is_on('hubspot')) }}

with contacts as (
    select * from {{ ref('stg_hubspot__contacts') }}
    where has_opted_out_of_email is not null
),

email_events as (
    -- Unsubscriptions and complaints count also where they are filtered out of statistics.
    select * from {{ ref('stg_hubspot__email_events') }}
    where event_type in ('statuschange', 'spamreport')
),

contact_emails as (
    select
        *,
        'email' as field,
        email as identifier_value
    from contacts
    union all
    select
        *,
        'second_email' as field,
        second_email as identifier_value
    from contacts
),

decisions as (
    -- A flag that is not set is how the system came, not a decision of the person: never a grant.
    select
        record_id || ':email_optout:' || field as event_key,
        record_id,
        identifier_value,
        case when has_opted_out_of_email then 'withdraw' else 'source_default' end as action,
        case
            when has_opted_out_of_email then coalesce(updated_at, created_at, loaded_at)
            else coalesce(created_at, loaded_at)
        end as occurred_at,
        'record flag' as method,
        country_code as jurisdiction,
        'property_hs_email_optout='
        || case when has_opted_out_of_email then 'true' else 'false' end as raw_signal,
        loaded_at
    from contact_emails
    union all
    select
        'hubspot:email_event:' || email_event_id as event_key,
        cast(null as text) as record_id,
        email as identifier_value,
        case when event_type = 'spamreport' then 'complaint' else 'withdraw' end as action,
        coalesce(occurred_at, loaded_at) as occurred_at,
        case when event_type = 'spamreport' then 'marked as spam' else 'unsubscribed' end as method,
        cast(null as text) as jurisdiction,
        upper(event_type) as raw_signal,
        loaded_at
    from email_events
),

final as (
    select
        event_key || ':' || {{ generate_surrogate_key(['action', 'occurred_at']) }} as consent_event_id,
        'hubspot' as source,
        record_id,
        'email' as identifier_type,
        identifier_value,
        null as brand,
        'marketing' as purpose,
        'email' as channel,
        action,
        null as legal_basis,
        occurred_at,
        occurred_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        method,
        null as actor,
        jurisdiction,
        raw_signal,
        loaded_at
    from decisions
    where identifier_value is not null
)

select * from final
