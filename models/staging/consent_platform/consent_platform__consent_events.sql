{{ config(enabled=source_is_on('consent_platform')) }}

with receipts as (
    select * from {{ ref('stg_consent_platform__consent_receipts') }}
),

preference_changes as (
    select * from {{ ref('stg_consent_platform__preference_changes') }}
),

gpc_signals as (
    select * from {{ ref('stg_consent_platform__gpc_signals') }}
),

decisions as (
    select
        'consent_platform:consent_receipt:' || receipt_id || ':decision' as consent_event_id,
        identifier_type,
        identifier_value,
        brand,
        purpose,
        channel,
        consent_action as action,
        legal_basis,
        occurred_at,
        coalesce(effective_from, occurred_at) as effective_from,
        effective_to,
        notice_id,
        notice_version,
        method,
        actor,
        jurisdiction,
        raw_signal,
        loaded_at
    from receipts
    union all
    select
        'consent_platform:preference_change:' || change_id || ':decision' as consent_event_id,
        identifier_type,
        identifier_value,
        brand,
        purpose,
        channel,
        case when is_subscribed then 'grant' when not is_subscribed then 'withdraw' end as action,
        case when is_subscribed then 'consent' end as legal_basis,
        occurred_at,
        occurred_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        coalesce(method, 'preference page') as method,
        actor,
        jurisdiction,
        'is_subscribed=' || case
            when is_subscribed then 'true'
            when not is_subscribed then 'false'
        end as raw_signal,
        loaded_at
    from preference_changes
    union all
    select
        'consent_platform:gpc_signal:' || signal_id || ':ads' as consent_event_id,
        case
            when user_id is not null then 'user_id'
            when anonymous_id is not null then 'anonymous_id'
        end as identifier_type,
        coalesce(user_id, anonymous_id) as identifier_value,
        brand,
        'ads' as purpose,
        'any' as channel,
        -- a signal that does not say whether it was on counts as one: the restriction wins
        case when not is_enabled then 'source_default' else 'gpc_signal' end as action,
        null as legal_basis,
        occurred_at,
        occurred_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        'browser signal' as method,
        'person' as actor,
        jurisdiction,
        'gpc=' || case when not is_enabled then '0' else '1' end as raw_signal,
        loaded_at
    from gpc_signals
),

events as (
    select
        consent_event_id,
        'consent_platform' as source,
        null as record_id,
        identifier_type,
        identifier_value,
        brand,
        purpose,
        channel,
        action,
        legal_basis,
        occurred_at,
        effective_from,
        effective_to,
        notice_id,
        notice_version,
        method,
        actor,
        jurisdiction,
        raw_signal,
        loaded_at
    from decisions
)

select * from events
