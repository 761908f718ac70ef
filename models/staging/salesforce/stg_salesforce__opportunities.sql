{{ config(enabled=source_is_on('salesforce'), materialized='table') }}

with source as (
    {{ staged_rows('salesforce', 'opportunity', key='id', latest_by=['_fivetran_synced', 'last_modified_date']) }}
),

valued as (
    {{ clean_values(
        'source',
        number=['amount'], boolean=['is_closed', 'is_won', 'is_deleted'],
        timestamp=['close_date', 'created_date', 'last_modified_date', '_fivetran_synced']
    ) }}
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
        {{ amount_of('clean_amount') }} as amount,

        -- flags
        coalesce(clean_is_closed, lower({{ trimmed('stage_name') }}) like 'closed%', false) as is_closed,
        coalesce(clean_is_won, lower({{ trimmed('stage_name') }}) = 'closed won', false) as is_won,
        coalesce(clean_is_deleted, false) as is_deleted,

        -- timestamps
        clean_close_date as closed_at,
        clean_created_date as created_at,
        clean_last_modified_date as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
