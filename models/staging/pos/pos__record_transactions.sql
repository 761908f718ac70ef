{{ config(enabled=source_is_on('pos')) }}

with store_transactions as (
    select * from {{ ref('stg_pos__store_transactions') }}
),

members as (
    select * from {{ ref('stg_pos__loyalty_members') }}
),

transactions as (
    select
        'pos:store_transaction:' || store_transactions.transaction_id as transaction_id,
        'pos' as source,
        members.record_id,
        null as account_record_id,
        case store_transactions.transaction_type
            when 'sale' then 'order'
            when 'return' then 'refund'
            else 'order'
        end as type,
        case
            when store_transactions.transaction_type = 'return' then -abs(store_transactions.amount)
            else store_transactions.amount
        end as amount,
        store_transactions.currency,
        store_transactions.occurred_at,
        case store_transactions.transaction_type
            when 'sale' then 'paid'
            when 'return' then 'refunded'
            else 'pending'
        end as status,
        store_transactions.transaction_type is not null as is_revenue,
        'pos:store_transaction:' || store_transactions.transaction_id as order_id,
        store_transactions.loaded_at
    from store_transactions
    left join members
        on members.loyalty_id = store_transactions.loyalty_id
)

select * from transactions
