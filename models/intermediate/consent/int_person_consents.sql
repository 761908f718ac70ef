with effects as (
    select * from {{ ref('int_consent_effects') }}
    where purpose <> 'marketing'
),

decisions as (
    select * from {{ ref('int_consent_decisions') }}
    where purpose <> 'marketing'
),

owners as (
    select * from {{ ref('int_consent_event_owners') }}
),

components as (
    select
        customer_id,
        count(distinct component_id) as component_count
    from {{ ref('int_record_components') }}
    group by customer_id
),

-- The decision on each identifier of the person, and the part of the customer that a grant of it
-- reaches.
owned as (
    select
        owners.customer_id,
        effects.purpose,
        effects.consent_event_id,
        effects.source,
        effects.effect,
        effects.decided_at as event_decided_at,
        decisions.status,
        decisions.decided_at,
        decisions.expires_at,
        case
            when decisions.status = 'granted' and effects.effect = 'grant' and owners.may_grant
                then owners.component_id
        end as granted_component_id
    from effects
    inner join owners on owners.consent_event_id = effects.consent_event_id
    inner join decisions
        on
            decisions.identifier_type = effects.identifier_type
            and decisions.identifier_value = effects.identifier_value
            and decisions.purpose = effects.purpose
            and decisions.channel = effects.channel
),

-- One denial denies; a grant counts once it reaches every part of the customer over sure links.
judged as (
    select
        customer_id,
        purpose,
        {{ most_restrictive('status') }} as strictest_status,
        count(distinct granted_component_id) as granted_component_count,
        max(decided_at) as decided_at,
        min(case when status = 'granted' then expires_at end) as expires_at
    from owned
    group by customer_id, purpose
),

-- The evidence: the latest event that says what was decided.
latest_events as (
    select
        customer_id,
        purpose,
        consent_event_id,
        source,
        row_number() over (
            partition by customer_id, purpose
            order by
                case
                    when status = 'denied' and effect in ('restrict', 'latch') then 1
                    when status = 'denied' then 2
                    when granted_component_id is not null then 3
                    else 4
                end asc,
                event_decided_at desc nulls last,
                consent_event_id asc
        ) as place
    from owned
),

final as (
    select
        judged.customer_id,
        judged.purpose,
        case
            when
                judged.strictest_status = 'granted'
                and judged.granted_component_count < components.component_count
                then 'unknown'
            else judged.strictest_status
        end as status,
        judged.strictest_status = 'granted'
        and judged.granted_component_count < components.component_count as is_granted_in_part,
        judged.decided_at,
        case
            when
                judged.strictest_status = 'granted'
                and judged.granted_component_count = components.component_count
                then judged.expires_at
        end as expires_at,
        latest_events.consent_event_id,
        latest_events.source
    from judged
    inner join components on components.customer_id = judged.customer_id
    inner join latest_events
        on
            latest_events.customer_id = judged.customer_id
            and latest_events.purpose = judged.purpose
            and latest_events.place = 1
)

select * from final
