with consent_events as (
    select * from {{ ref('consent_events') }}
),

person_records as (
    select
        record_id,
        country_code
    from {{ ref('person_records') }}
),

policy as (
    select * from {{ ref('consent_policy') }}
),

-- What was said about every channel or purpose at once concerns each; so does a restriction that
-- does not
-- say, or not in known words, which channel or purpose it means. A grant must name what it grants.
purposes as (
    select distinct
        purpose,
        channel
    from policy
    union all
    select distinct
        person_policy.purpose,
        contact_policy.channel
    from policy as person_policy
    cross join policy as contact_policy
    where
        person_policy.purpose <> 'marketing'
        and contact_policy.purpose = 'marketing'
),

events as (
    select
        consent_events.consent_event_id,
        consent_events.source,
        consent_events.record_id,
        case
            when consent_events.identifier_value is null then 'record_id'
            else coalesce(consent_events.identifier_type, 'unknown')
        end as identifier_type,
        coalesce(consent_events.identifier_value, consent_events.record_id) as identifier_value,
        consent_events.brand,
        consent_events.purpose,
        consent_events.channel,
        consent_events.action,
        consent_events.method,
        consent_events.actor,
        consent_events.occurred_at,
        consent_events.effective_from,
        consent_events.effective_to,
        consent_events.loaded_at,
        {{ consent_effect('consent_events.action', "'ads'", 'true') }} as broad_effect,
        coalesce(
            {{ to_upper('consent_events.jurisdiction') }},
            person_records.country_code
        ) as known_jurisdiction
    from consent_events
    left join person_records on person_records.record_id = consent_events.record_id
    where coalesce(consent_events.identifier_value, consent_events.record_id) is not null
),

expanded as (
    select
        events.*,
        purposes.purpose as decided_purpose,
        purposes.channel as decided_channel
    from events
    inner join purposes
        on
            (
                purposes.purpose = events.purpose
                or (
                    events.broad_effect in ('restrict', 'latch')
                    and coalesce(events.purpose, '') not in ('marketing', {{ quoted_list(person_purposes()) }})
                )
            )
            and (
                purposes.channel = events.channel
                or (events.channel = 'any' and purposes.channel <> 'any')
                or (events.channel is null and purposes.purpose <> 'marketing')
                or (
                    events.broad_effect in ('restrict', 'latch')
                    and coalesce(events.channel, '') not in ('any', {{ quoted_list(contact_channels()) }})
                )
            )
),

with_policy as (
    select
        expanded.*,
        coalesce(
            exact.jurisdiction,
            country.jurisdiction,
            strictest.jurisdiction
        ) as policy_jurisdiction,
        case
            when exact.jurisdiction is not null then exact.max_age_days
            when country.jurisdiction is not null then country.max_age_days
            else strictest.max_age_days
        end as max_age_days,
        coalesce(
            exact.requires_double_opt_in,
            country.requires_double_opt_in,
            strictest.requires_double_opt_in,
            true
        ) as requires_double_opt_in,
        coalesce(exact.honours_gpc, country.honours_gpc, strictest.honours_gpc, true) as honours_gpc
    from expanded
    left join policy as exact
        on
            exact.jurisdiction = expanded.known_jurisdiction
            and exact.purpose = expanded.decided_purpose
            and exact.channel = case
                when expanded.decided_purpose = 'marketing' then expanded.decided_channel
                else 'any'
            end
    left join policy as country
        on
            country.jurisdiction = split_part(expanded.known_jurisdiction, '-', 1)
            and country.purpose = expanded.decided_purpose
            and country.channel = case
                when expanded.decided_purpose = 'marketing' then expanded.decided_channel
                else 'any'
            end
    left join policy as strictest
        on
            strictest.jurisdiction = 'unknown'
            and strictest.purpose = expanded.decided_purpose
            and strictest.channel = case
                when expanded.decided_purpose = 'marketing' then expanded.decided_channel
                else 'any'
            end
),

judged as (
    select
        with_policy.*,
        {{ consent_effect('action', 'decided_purpose', 'honours_gpc') }} as effect,
        {{ add_days('occurred_at', 'max_age_days') }} as too_old_at
    from with_policy
),

final as (
    select
        consent_event_id,
        source,
        record_id,
        identifier_type,
        identifier_value,
        brand,
        decided_purpose as purpose,
        decided_channel as channel,
        action,
        effect,
        policy_jurisdiction,
        requires_double_opt_in,
        {{ is_by_person('actor') }} as is_by_person,
        {{ is_confirmation('action', 'method') }} as is_confirmation,
        case
            when effect in ('restrict', 'latch')
                then coalesce(occurred_at, effective_from, loaded_at, {{ as_of() }})
            else occurred_at
        end as decided_at,
        coalesce(
            occurred_at <= {{ as_of() }}
            and coalesce(effective_from, occurred_at) <= {{ as_of() }},
            false
        ) as has_begun,
        coalesce(least(coalesce(effective_to, too_old_at), coalesce(too_old_at, effective_to)) <= {{ as_of() }}, false) as has_ended,
        least(coalesce(effective_to, too_old_at), coalesce(too_old_at, effective_to)) as expires_at
    from judged
    where effect <> 'none'
)

select * from final
