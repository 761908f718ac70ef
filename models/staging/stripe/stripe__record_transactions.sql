{{ config(enabled=source_is_on('stripe')) }}

with charges as (
    select * from {{ ref('stg_stripe__charges') }}
    where not is_test
),

invoices as (
    select * from {{ ref('stg_stripe__invoices') }}
    where not is_test and not is_deleted
),

refunds as (
    select * from {{ ref('stg_stripe__refunds') }}
),

invoices_paid_by_charge as (
    select invoice_id
    from charges
    where status = 'succeeded' and is_paid and invoice_id is not null
    group by invoice_id
),

transactions as (
    select
        'stripe:charge:' || charge_id as transaction_id,
        customer_id,
        'charge' as type,
        amount,
        currency,
        created_at as occurred_at,
        case
            when status = 'succeeded' and is_paid then 'paid'
            when status = 'pending' then 'pending'
            else 'failed'
        end as status,
        status = 'succeeded' and is_paid as is_revenue,
        'stripe:invoice:' || invoice_id as order_id,
        loaded_at
    from charges
    union all
    select
        'stripe:invoice:' || invoices.invoice_id as transaction_id,
        invoices.customer_id,
        'invoice' as type,
        invoices.amount,
        invoices.currency,
        invoices.created_at as occurred_at,
        case
            when invoices.is_paid then 'paid'
            when invoices.status in ('void', 'uncollectible') then 'cancelled'
            else 'pending'
        end as status,
        invoices.is_paid and invoices_paid_by_charge.invoice_id is null as is_revenue,
        'stripe:invoice:' || invoices.invoice_id as order_id,
        invoices.loaded_at
    from invoices
    left join invoices_paid_by_charge
        on invoices_paid_by_charge.invoice_id = invoices.invoice_id
    union all
    select
        'stripe:refund:' || refunds.refund_id as transaction_id,
        charges.customer_id,
        'refund' as type,
        -refunds.amount as amount,
        refunds.currency,
        refunds.created_at as occurred_at,
        case
            when refunds.status = 'succeeded' then 'refunded'
            when refunds.status = 'pending' then 'pending'
            else 'failed'
        end as status,
        coalesce(
            refunds.status = 'succeeded' and charges.status = 'succeeded' and charges.is_paid, false
        ) as is_revenue,
        'stripe:charge:' || refunds.charge_id as order_id,
        refunds.loaded_at
    from refunds
    left join charges
        on charges.charge_id = refunds.charge_id
),

final as (
    select
        transaction_id,
        'stripe' as source,
        'stripe:customer:' || customer_id as record_id,
        null as account_record_id,
        type,
        amount,
        currency,
        occurred_at,
        status,
        is_revenue,
        order_id,
        loaded_at
    from transactions
)

select * from final
