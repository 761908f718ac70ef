{{ config(enabled=source_is_on('zendesk'), materialized='table') }}

with source as (
    {{ staged_rows('zendesk', 'ticket', key='id', latest_by=['_fivetran_synced', 'updated_at']) }}
),

valued as (
    {{ clean_values('source', timestamp=['created_at', 'updated_at', '_fivetran_synced']) }}
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
        clean_created_at as created_at,
        clean_updated_at as updated_at,
        clean__fivetran_synced as loaded_at,

        -- accounting
        collapsed_count,
        unusable_values
    from valued
)

select * from cleaned
