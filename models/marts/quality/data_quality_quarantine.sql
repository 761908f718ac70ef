with quarantine as (
    select * from {{ ref('quarantine') }}
),

identified as (
    select
        {{ generate_surrogate_key(['source', 'source_table', 'row_key', 'column_name', 'rule']) }} as quarantine_id,
        source,
        source_table,
        row_key,
        column_name,
        rule,
        is_whole_row
    from quarantine
)

select * from identified
