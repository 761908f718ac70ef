with record_activities as (
    select * from {{ ref('record_activities') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

left_out_records as (
    select record_id from {{ ref('person_records') }}
    where is_test or is_deleted
),

-- An anonymous id passes from one customer to the next; any other identifier must be one customer's
-- alone.
identifier_customers as (
    select * from {{ ref('int_identifier_customers') }}
    where customer_count = 1 or identifier_type = 'anonymous_id'
),

resolved as (
    select
        record_activities.*,
        account_ids.account_id,
        coalesce(
            person_ids.customer_id,
            case when left_out_records.record_id is null then identifier_customers.customer_id end
        ) as customer_id,
        person_ids.customer_id is null
        and left_out_records.record_id is null
        and identifier_customers.customer_id is not null as is_identified_later
    from record_activities
    left join person_ids on person_ids.record_id = record_activities.record_id
    left join left_out_records on left_out_records.record_id = record_activities.record_id
    left join account_ids on account_ids.record_id = record_activities.account_record_id
    left join identifier_customers
        on
            identifier_customers.identifier_type = record_activities.identifier_type
            and identifier_customers.identifier_value = record_activities.identifier_value
            and identifier_customers.holds_from <= coalesce(
                record_activities.occurred_at, record_activities.loaded_at
            )
            and identifier_customers.holds_to > coalesce(
                record_activities.occurred_at, record_activities.loaded_at
            )
),

counted as (
    select
        resolved.*,
        row_number() over same_actor_and_activity as activity_occurrence,
        lead(occurred_at) over same_actor_and_activity as activity_repeated_at
    from resolved
    window same_actor_and_activity as (
        partition by coalesce(customer_id, identifier_value, account_id), activity
        order by occurred_at asc nulls last, activity_id asc
    )
),

final as (
    select
        activity_id,
        customer_id,
        account_id,
        record_id,
        source,
        activity,
        channel,
        identifier_type,
        identifier_value,
        object_id,
        feature_json,
        link,
        cast(revenue_impact as numeric(18, 2)) as revenue_impact,
        activity_occurrence,
        is_identified_later,
        occurred_at,
        activity_repeated_at,
        loaded_at
    from counted
)

select * from final
