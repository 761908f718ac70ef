{{ config(enabled=source_is_on('zendesk')) }}

with tickets as (
    select * from {{ ref('stg_zendesk__tickets') }}
    where not is_deleted
),

users as (
    select * from {{ ref('stg_zendesk__users') }}
),

customer_tickets as (
    -- What staff ask among themselves is no customer's doing.
    select
        tickets.*,
        coalesce(tickets.organization_id, users.organization_id) as customer_organization_id,
        {{ json_object({'status': 'tickets.status', 'priority': 'tickets.priority', 'via': 'tickets.via'}) }} as feature_json
    from tickets
    left join users
        on users.user_id = tickets.requester_id
    where not coalesce(users.is_staff, false)
),

activities as (
    select
        ticket_id,
        'ticket_created' as activity,
        created_at as occurred_at,
        requester_id,
        customer_organization_id,
        feature_json,
        loaded_at
    from customer_tickets
    union all
    select
        ticket_id,
        'ticket_solved' as activity,
        coalesce(updated_at, loaded_at) as occurred_at,
        requester_id,
        customer_organization_id,
        feature_json,
        loaded_at
    from customer_tickets
    where is_solved
),

final as (
    select
        'zendesk:ticket:' || ticket_id || ':' || activity as activity_id,
        'zendesk' as source,
        occurred_at,
        activity,
        'support' as channel,
        'zendesk:user:' || requester_id as record_id,
        'zendesk:organization:' || customer_organization_id as account_record_id,
        null as identifier_type,
        null as identifier_value,
        'zendesk:ticket:' || ticket_id as object_id,
        feature_json,
        null as revenue_impact,
        null as link,
        loaded_at
    from activities
    where occurred_at is not null
)

select * from final
