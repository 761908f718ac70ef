-- For every source table: rows in = staged + quarantined + suppressed + collapsed duplicates, each
-- term
-- counted from its own table.
{{ config(meta={'layer': 'streams'}) }}

with counts as (
    select * from {{ ref('row_counts') }}
),

quarantined as (
    select
        source,
        source_table,
        count(*) as quarantined_count
    from {{ ref('quarantine') }}
    where is_whole_row
    group by source, source_table
),

suppressed as (
    select
        source,
        source_table,
        sum(row_count) as suppressed_count
    from {{ ref('privacy__suppressed_rows') }}
    group by source, source_table
),

collapsed as (
    select
        source,
        source_table,
        sum(collapsed_count) as collapsed_count
    from {{ ref('collapsed_rows') }}
    group by source, source_table
),

accounts as (
    select
        counts.source,
        counts.source_table,
        counts.raw_count,
        counts.staged_count,
        coalesce(quarantined.quarantined_count, 0) as quarantined_count,
        coalesce(suppressed.suppressed_count, 0) as suppressed_count,
        coalesce(collapsed.collapsed_count, 0) as collapsed_count
    from counts
    left join quarantined
        on
            quarantined.source = counts.source
            and quarantined.source_table = counts.source_table
    left join suppressed
        on
            suppressed.source = counts.source
            and suppressed.source_table = counts.source_table
    left join collapsed
        on
            collapsed.source = counts.source
            and collapsed.source_table = counts.source_table
)

select *
from accounts
where raw_count <> staged_count + quarantined_count + suppressed_count + collapsed_count
