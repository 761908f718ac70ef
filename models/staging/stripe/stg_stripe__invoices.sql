{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'invoice', key='id', latest_by='_fivetran_synced') }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as invoice_id,
        {{ to_text('customer_id') }} as customer_id,
        {{ to_text('subscription_id') }} as subscription_id,

        -- attributes
        {{ to_text('"number"') }} as invoice_number,
        lower({{ to_text('status') }}) as status,
        {{ to_currency('currency') }} as currency,

        -- measures
        {{ from_minor_units('total', 'currency') }} as amount,
        {{ from_minor_units('amount_paid', 'currency') }} as paid_amount,

        -- flags
        coalesce({{ to_boolean('paid') }}, lower({{ to_text('status') }}) = 'paid', false) as is_paid,
        coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,
        coalesce(not {{ to_boolean('livemode') }}, false) as is_test,

        -- timestamps
        coalesce({{ to_timestamp('created') }}, {{ to_timestamp('period_end') }}) as created_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['total', 'amount_paid'], boolean=['paid', 'is_deleted', 'livemode'],
            timestamp=['created', 'period_end', '_fivetran_synced'],
            others=[['currency', 'invalid_currency', to_currency('currency')]]
        ) }} as unusable_values
    from source
)

select * from cleaned
