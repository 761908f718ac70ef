{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

with source as (
    {{ staged_rows('zendesk', 'ticket', key='id', latest_by=['_fivetran_synced', 'updated_at']) }}
),

cleaned as (
    select
        -- keys
        row_key,
        row_key as ticket_id,
        {{ to_text('requester_id') }} as requester_id,
        {{ to_text('organization_id') }} as organization_id,

        -- attributes
        lower({{ to_text('status') }}) as status,
        lower({{ to_text('priority') }}) as priority,
        lower({{ to_text('"type"') }}) as ticket_type,
        lower({{ to_text('via_channel') }}) as via,

        -- flags
        coalesce(lower({{ to_text('status') }}) in ('solved', 'closed'), false) as is_solved,
        coalesce(lower({{ to_text('status') }}) = 'deleted', false) as is_deleted,

        -- timestamps
        {{ to_timestamp('created_at') }} as created_at,
        {{ to_timestamp('updated_at') }} as updated_at,
        {{ to_timestamp('_fivetran_synced') }} as loaded_at,

        -- accounting
        collapsed_count,
        {{ unusable_values(timestamp=['created_at', 'updated_at', '_fivetran_synced']) }} as unusable_values
    from source
)

select * from cleaned
