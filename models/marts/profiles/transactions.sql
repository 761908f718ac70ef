with record_transactions as (
    select * from {{ ref('record_transactions') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

resolved as (
    select
        record_transactions.*,
        person_ids.customer_id,
        account_ids.account_id,
        record_transactions.is_revenue
        and record_transactions.type <> 'refund'
        and record_transactions.amount > 0 as is_purchase
    from record_transactions
    left join person_ids on person_ids.record_id = record_transactions.record_id
    left join account_ids on account_ids.record_id = record_transactions.account_record_id
),

final as (
    select
        transaction_id,
        customer_id,
        account_id,
        record_id,
        source,
        type,
        status,
        order_id,
        currency,
        amount,
        case
            when customer_id is not null and is_purchase
                then row_number() over (
                    partition by customer_id, is_purchase
                    order by occurred_at asc nulls last, transaction_id asc
                )
        end as purchase_number,
        coalesce(is_revenue, false) as is_revenue,
        coalesce(is_purchase, false) as is_purchase,
        occurred_at,
        loaded_at
    from resolved
)

select * from final
