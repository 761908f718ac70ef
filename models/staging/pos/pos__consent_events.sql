{{ config(enabled=source_is_on('pos')) }}

with members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

answers as (
    select
        members.*,
        'email' as channel,
        case when email is not null then 'email' else 'loyalty_id' end as identifier_type,
        coalesce(email, loyalty_id) as identifier_value,
        has_email_opt_in as has_opt_in
    from members
    where has_email_opt_in is not null
    union all
    select
        members.*,
        'sms' as channel,
        case when phone is not null then 'phone' else 'loyalty_id' end as identifier_type,
        coalesce(phone, loyalty_id) as identifier_value,
        has_sms_opt_in as has_opt_in
    from members
    where has_sms_opt_in is not null
    union all
    select
        members.*,
        'post' as channel,
        'loyalty_id' as identifier_type,
        loyalty_id as identifier_value,
        has_post_opt_in as has_opt_in
    from members
    where has_post_opt_in is not null
),

events as (
    select
        'pos:loyalty_member:' || loyalty_id || ':' || channel as consent_event_id,
        'pos' as source,
        record_id,
        identifier_type,
        identifier_value,
        null as brand,
        'marketing' as purpose,
        channel,
        case when has_opt_in then 'grant' else 'source_default' end as action,
        case when has_opt_in then 'consent' end as legal_basis,
        joined_at as occurred_at,
        joined_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        'loyalty programme' as method,
        null as actor,
        country_code as jurisdiction,
        channel || '_opt_in=' || case when has_opt_in then 'true' else 'false' end as raw_signal,
        loaded_at
    from answers
)

select * from events
