{{ config(enabled=source_is_on('stripe'), materialized='table') }}

with source as (
    {{ staged_rows('stripe', 'invoice', key='id', latest_by='_fivetran_synced') }}
),

valued as (
    {{ clean_values(
        'source',
        number=['total', 'amount_paid'], boolean=['paid', 'is_deleted', 'livemode'],
        timestamp=['created', 'period_end', '_fivetran_synced'],
        others=[['currency', 'invalid_currency', to_currency('currency')]]
    ) }}
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
        clean_currency as currency,

        -- measures
        {{ from_minor_units('clean_total', 'currency') }} as amount,
        {{ from_minor_units('clean_amount_paid', 'currency') }} as paid_amount,

        -- flags
        coalesce(clean_paid, lower({{ to_text('status') }}) = 'paid', false) as is_paid,
        coalesce(clean_is_deleted, false) as is_deleted,
        coalesce(not clean_livemode, false) as is_test,

        -- timestamps
        coalesce(clean_created, clean_period_end) as created_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
