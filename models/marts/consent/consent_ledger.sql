with consent_events as (
    select * from {{ ref('consent_events') }}
),

effects as (
    select
        consent_event_id,
        min(effect) as effect,
        min(policy_jurisdiction) as policy_jurisdiction,
        max(case when requires_double_opt_in then 1 else 0 end) = 1 as requires_double_opt_in,
        min(case when has_begun then 1 else 0 end) = 1 as has_begun,
        max(case when has_ended then 1 else 0 end) = 1 as has_ended,
        min(expires_at) as expires_at
    from {{ ref('int_consent_effects') }}
    group by consent_event_id
),

final as (
    select
        consent_events.consent_event_id,
        consent_events.source,
        consent_events.record_id,
        consent_events.identifier_type,
        consent_events.identifier_value,
        consent_events.brand,
        consent_events.purpose,
        consent_events.channel,
        consent_events.action,
        coalesce(effects.effect, 'none') as effect,
        consent_events.legal_basis,
        consent_events.notice_id,
        consent_events.notice_version,
        consent_events.method,
        consent_events.actor,
        consent_events.jurisdiction,
        effects.policy_jurisdiction,
        consent_events.raw_signal,
        coalesce(
            effects.effect = 'grant' and effects.requires_double_opt_in,
            false
        ) as requires_double_opt_in,
        case
            when effects.effect is null then false
            when effects.effect = 'grant' then effects.has_begun and not effects.has_ended
            else true
        end as is_in_force,
        case
            when effects.effect is null then 'decides nothing'
            when effects.effect = 'grant' and not effects.has_begun then 'not begun'
            when effects.effect = 'grant' and effects.has_ended then 'ended'
            else 'in force'
        end as validity,
        consent_events.occurred_at,
        consent_events.effective_from,
        consent_events.effective_to,
        case when effects.effect = 'grant' then effects.expires_at end as expires_at,
        consent_events.loaded_at
    from consent_events
    left join effects on effects.consent_event_id = consent_events.consent_event_id
)

select * from final
