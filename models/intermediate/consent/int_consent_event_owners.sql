with events as (
    select distinct
        consent_event_id,
        record_id,
        identifier_type,
        identifier_value
    from {{ ref('int_consent_effects') }}
),

components as (
    select * from {{ ref('int_record_components') }}
),

identifiers as (
    select
        identifiers.identifier_type,
        identifiers.identifier_value,
        components.record_id,
        components.customer_id,
        components.component_id
    from {{ ref('record_identifiers') }} as identifiers
    inner join components on components.record_id = identifiers.record_id
),

shared_identifiers as (
    select
        identifier_type,
        identifier_value
    from identifiers
    group by identifier_type, identifier_value
    having count(distinct customer_id) > 1
),

owners as (
    select
        events.consent_event_id,
        components.customer_id,
        components.component_id,
        1 as may_grant
    from events
    inner join components on components.record_id = events.record_id
    union all
    select
        events.consent_event_id,
        identifiers.customer_id,
        identifiers.component_id,
        case when shared_identifiers.identifier_value is null then 1 else 0 end as may_grant
    from events
    inner join identifiers
        on
            identifiers.identifier_type = events.identifier_type
            and identifiers.identifier_value = events.identifier_value
    left join shared_identifiers
        on
            shared_identifiers.identifier_type = events.identifier_type
            and shared_identifiers.identifier_value = events.identifier_value
),

final as (
    select
        consent_event_id,
        customer_id,
        component_id,
        max(may_grant) = 1 as may_grant
    from owners
    group by consent_event_id, customer_id, component_id
)

select * from final
