{{ config(enabled=source_is_on('klaviyo')) }}

with persons as (
    select * from {{ ref('stg_klaviyo__persons') }}
),

events as (
    select
        *,
        {{ lookup('event_name', {
            'unsubscribed': 'withdraw',
            'unsubscribed from list': 'withdraw',
            'unsubscribed from email marketing': 'withdraw',
            'marked email as spam': 'complaint',
            'unsubscribed from sms': 'withdraw',
            'unsubscribed from sms marketing': 'withdraw',
        }) }} as action,
        case when event_name like '%sms%' then 'sms' else 'email' end as channel
    from {{ ref('stg_klaviyo__events') }}
    where not is_deleted
),

signals as (
    select record_id, 'email' as channel, 'custom_consent' as signal, 'grant' as action
    from persons
    where has_consented_to_email
    union all
    select record_id, 'sms' as channel, 'custom_consent' as signal, 'grant' as action
    from persons
    where has_consented_to_sms
    union all
    select record_id, 'post' as channel, 'custom_consent' as signal, 'grant' as action
    from persons
    where has_consented_to_post
    union all
    select record_id, 'email' as channel, 'custom_consent' as signal, 'deny' as action
    from persons
    where has_refused_consent
    union all
    select
        record_id,
        'email' as channel,
        'custom_accepts_marketing' as signal,
        case when is_accepting_marketing then 'grant' else 'source_default' end as action
    from persons
    where is_accepting_marketing is not null
    union all
    select
        record_id,
        'sms' as channel,
        'custom_sms_consent' as signal,
        case when is_accepting_sms then 'grant' else 'source_default' end as action
    from persons
    where is_accepting_sms is not null
    union all
    select record_id, 'email' as channel, 'custom_suppress' as signal, 'withdraw' as action
    from persons
    where is_suppressed
),

decisions as (
    -- A restriction counts from the last change, a grant from when it was given or else from when
    -- the subscriber was created; one without a date, or of a deleted subscriber, is no proof.
    select
        persons.record_id || ':' || signals.signal || ':' || signals.channel as event_key,
        persons.record_id,
        signals.channel,
        persons.email,
        persons.phone,
        signals.action,
        case
            when signals.action in ('grant', 'source_default')
                then coalesce(persons.consented_at, persons.created_at)
            when signals.action = 'deny'
                then coalesce(
                    persons.consented_at,
                    persons.updated_at,
                    persons.created_at,
                    persons.loaded_at
                )
            else coalesce(persons.updated_at, persons.created_at, persons.loaded_at)
        end as occurred_at,
        case when signals.action = 'grant' then persons.consent_form_id end as notice_id,
        case when signals.action = 'grant' then persons.consent_form_version end as notice_version,
        case
            when signals.action in ('grant', 'deny') then persons.consent_method
            else 'record flag'
        end as method,
        persons.country_code,
        signals.signal || '=' || signals.channel || ':' || signals.action as raw_signal,
        persons.loaded_at
    from signals
    inner join persons
        on persons.record_id = signals.record_id
    where signals.action <> 'grant' or not persons.is_deleted
    union all
    select
        'klaviyo:event:' || events.event_id as event_key,
        persons.record_id,
        events.channel,
        persons.email,
        persons.phone,
        events.action,
        coalesce(events.occurred_at, events.loaded_at) as occurred_at,
        cast(null as text) as notice_id,
        cast(null as text) as notice_version,
        case
            when events.action = 'complaint' then 'marked as spam'
            else 'unsubscribed'
        end as method,
        persons.country_code,
        events.event_name as raw_signal,
        events.loaded_at
    from events
    inner join persons
        on persons.person_id = events.person_id
    where events.action is not null
),

final as (
    select
        event_key || ':' || {{ generate_surrogate_key(['action', 'occurred_at']) }} as consent_event_id,
        'klaviyo' as source,
        record_id,
        case when channel = 'sms' then 'phone' else 'email' end as identifier_type,
        case when channel = 'sms' then phone else email end as identifier_value,
        null as brand,
        'marketing' as purpose,
        channel,
        action,
        case when action = 'grant' then 'consent' end as legal_basis,
        occurred_at,
        occurred_at as effective_from,
        null as effective_to,
        notice_id,
        notice_version,
        method,
        null as actor,
        country_code as jurisdiction,
        raw_signal,
        loaded_at
    from decisions
    where
        case when channel = 'sms' then phone else email end is not null
        and (action <> 'grant' or occurred_at is not null)
)

select * from final
