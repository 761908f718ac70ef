with effects as (
    select * from {{ ref('int_consent_effects') }}
    where purpose = 'marketing'
),

owners as (
    select * from {{ ref('int_consent_event_owners') }}
),

contact_points as (
    select
        points.customer_id,
        points.channel,
        points.contact_point,
        components.component_id
    from {{ ref('int_record_contact_points') }} as points
    inner join {{ ref('int_record_components') }} as components on components.record_id = points.record_id
    group by points.customer_id, points.channel, points.contact_point, components.component_id
),

customer_contact_points as (
    select distinct
        customer_id,
        channel,
        contact_point
    from contact_points
),

-- What was said about the contact point itself concerns it, whoever holds it.
said_of_the_point as (
    select
        points.customer_id,
        points.contact_point,
        effects.consent_event_id,
        effects.source,
        effects.channel,
        effects.brand,
        effects.effect,
        effects.requires_double_opt_in,
        effects.is_by_person,
        effects.is_confirmation,
        effects.decided_at,
        effects.has_begun,
        effects.has_ended,
        effects.expires_at
    from effects
    inner join customer_contact_points as points
        on
            points.channel = effects.channel
            and points.contact_point = effects.identifier_value
    where
        effects.identifier_type = case when effects.channel = 'email' then 'email' else 'phone' end
),

-- Stored before it is joined on: a channel alone has few values, and a join on it first never ends.
said_of_the_person as materialized (
    select
        owners.customer_id,
        owners.component_id,
        owners.may_grant,
        effects.*
    from effects
    inner join owners on owners.consent_event_id = effects.consent_event_id
    where
        not (effects.identifier_type = 'email' and effects.channel = 'email')
        and not (effects.identifier_type = 'phone' and effects.channel in ('sms', 'phone'))
),

-- A restriction of the person reaches every contact point of the customer, over any link.
restrictions_of_the_person as (
    select distinct
        points.customer_id,
        points.contact_point,
        said_of_the_person.consent_event_id,
        said_of_the_person.source,
        said_of_the_person.channel,
        said_of_the_person.brand,
        said_of_the_person.effect,
        said_of_the_person.requires_double_opt_in,
        said_of_the_person.is_by_person,
        said_of_the_person.is_confirmation,
        said_of_the_person.decided_at,
        said_of_the_person.has_begun,
        said_of_the_person.has_ended,
        said_of_the_person.expires_at
    from said_of_the_person
    inner join customer_contact_points as points
        on
            points.customer_id = said_of_the_person.customer_id
            and points.channel = said_of_the_person.channel
    where said_of_the_person.effect in ('restrict', 'latch')
),

-- A grant reaches the contact points of records that are surely the same person's.
grants_of_the_person as (
    select distinct
        points.customer_id,
        points.contact_point,
        said_of_the_person.consent_event_id,
        said_of_the_person.source,
        said_of_the_person.channel,
        said_of_the_person.brand,
        said_of_the_person.effect,
        said_of_the_person.requires_double_opt_in,
        said_of_the_person.is_by_person,
        said_of_the_person.is_confirmation,
        said_of_the_person.decided_at,
        said_of_the_person.has_begun,
        said_of_the_person.has_ended,
        said_of_the_person.expires_at
    from said_of_the_person
    inner join contact_points as points
        on
            points.component_id = said_of_the_person.component_id
            and points.channel = said_of_the_person.channel
    where
        said_of_the_person.effect in ('grant', 'pending')
        and said_of_the_person.may_grant
),

gathered as materialized (
    select * from said_of_the_point
    union all
    select * from restrictions_of_the_person
    union all
    select * from grants_of_the_person
),

decided as (
    {{ decide_consent('gathered', ['customer_id', 'channel', 'contact_point']) }}
),

-- The evidence: the latest event that says what was decided.
evidence as (
    select
        decided.customer_id,
        decided.channel,
        decided.contact_point,
        decided.status,
        decided.decided_at,
        decided.expires_at,
        gathered.consent_event_id,
        gathered.source,
        row_number() over (
            partition by decided.customer_id, decided.channel, decided.contact_point
            order by
                case
                    when
                        decided.status = 'granted'
                        and gathered.effect = 'grant'
                        and gathered.has_begun
                        and not gathered.has_ended
                        then 1
                    when decided.status = 'denied' and gathered.effect in ('restrict', 'latch')
                        then 1
                    else 2
                end asc,
                gathered.decided_at desc nulls last,
                gathered.consent_event_id asc
        ) as place
    from decided
    inner join gathered
        on
            gathered.customer_id = decided.customer_id
            and gathered.channel = decided.channel
            and gathered.contact_point = decided.contact_point
),

final as (
    select
        customer_id,
        channel,
        contact_point,
        status,
        decided_at,
        expires_at,
        consent_event_id,
        source
    from evidence
    where place = 1
)

select * from final
