-- Every transaction of the stream is in the mart once, and the revenue of both is the same.
with stream as (
    select
        count(*) as row_count,
        coalesce(sum(case when is_revenue then amount else 0 end), 0) as revenue_amount
    from {{ ref('record_transactions') }}
),

mart as (
    select
        count(*) as row_count,
        coalesce(sum(case when is_revenue then amount else 0 end), 0) as revenue_amount
    from {{ ref('transactions') }}
)

select
    stream.row_count as stream_row_count,
    mart.row_count as mart_row_count,
    stream.revenue_amount as stream_revenue_amount,
    mart.revenue_amount as mart_revenue_amount
from stream
cross join mart
where
    stream.row_count <> mart.row_count
    or stream.revenue_amount <> mart.revenue_amount
