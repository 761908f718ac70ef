{{ config(enabled=source_is_on('salesforce'), materialized='table') }}

with source as (
    {{ staged_rows('salesforce', 'opportunity', key='id', latest_by=['_fivetran_synced', 'last_modified_date']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as opportunity_id,
        {{ to_text('account_id') }} as account_id,

        -- attributes
        {{ to_text('stage_name') }} as stage,
        {{ to_text('"type"') }} as opportunity_type,

        -- measures
        {{ to_amount('amount') }} as amount,

        -- flags
        coalesce({{ to_boolean('is_closed') }}, lower({{ trimmed('stage_name') }}) like 'closed%', false) as is_closed,
        coalesce({{ to_boolean('is_won') }}, lower({{ trimmed('stage_name') }}) = 'closed won', false) as is_won,
        coalesce({{ to_boolean('is_deleted') }}, false) as is_deleted,

        -- timestamps
        {{ to_timestamp('close_date') }} as closed_at,
        {{ to_timestamp('created_date') }} as created_at,
        {{ to_timestamp('last_modified_date') }} as updated_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(
            number=['amount'], boolean=['is_closed', 'is_won', 'is_deleted'],
            timestamp=['close_date', 'created_date', 'last_modified_date', '_fivetran_synced']
        ) }} as unusable_values
    from source
)

select * from cleaned
