{{ config(enabled=source_is_on('pos')) }}

with store_transactions as (
    select * from {{ ref('stg_pos__store_transactions') }}
    where transaction_type is not null
),

visits as (
    select * from {{ ref('stg_pos__store_visits') }}
),

members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

things_done as (
    select
        'pos:store_transaction:' || transaction_id as object_id,
        case transaction_type
            when 'return' then 'store_returned'
            else 'store_purchased'
        end as activity,
        loyalty_id,
        occurred_at,
        case transaction_type when 'return' then -abs(amount) else amount end as revenue_impact,
        {{ json_object({'store_id': 'store_id', 'currency': 'currency', 'item_count': 'item_count', 'payment_method': 'payment_method'}) }} as feature_json,
        loaded_at
    from store_transactions
    union all
    select
        'pos:store_visit:' || visit_id as object_id,
        'store_visited' as activity,
        loyalty_id,
        occurred_at,
        null as revenue_impact,
        {{ json_object({'store_id': 'store_id'}) }} as feature_json,
        loaded_at
    from visits
),

-- what an unknown buyer did is no activity of anybody
activities as (
    select
        things_done.object_id || ':' || things_done.activity as activity_id,
        'pos' as source,
        things_done.occurred_at,
        things_done.activity,
        'store' as channel,
        members.record_id,
        null as account_record_id,
        case when members.record_id is null then 'loyalty_id' end as identifier_type,
        case when members.record_id is null then things_done.loyalty_id end as identifier_value,
        things_done.object_id,
        things_done.feature_json,
        things_done.revenue_impact,
        null as link,
        things_done.loaded_at
    from things_done
    left join members
        on members.loyalty_id = things_done.loyalty_id
    where
        things_done.loyalty_id is not null
        and things_done.occurred_at is not null
)

select * from activities
