-- Question: do customers come back, and do newer ones come back sooner?
-- Read: one row a quarter of first purchase. Compare `again_within_90_days_share` down the rows;
-- the last
-- quarters have had less time, and a share is null until every customer of the quarter has had the
-- days.
with purchases as (
    select
        customer_id,
        purchase_number,
        occurred_at
    from {{ ref('transactions') }}
    where
        purchase_number <= 2
        and occurred_at is not null
),

customers as (
    select
        customer_id,
        min(case when purchase_number = 1 then occurred_at end) as first_at,
        min(case when purchase_number = 2 then occurred_at end) as second_at
    from purchases
    group by customer_id
),

cohorts as (
    select
        cast({{ dbt.date_trunc('quarter', 'first_at') }} as date) as first_quarter,
        max(first_at) as last_first_at,
        count(*) as customer_count,
        {{ count_where('second_at <= ' ~ add_days('first_at', 30)) }} as again_within_30_days,
        {{ count_where('second_at <= ' ~ add_days('first_at', 90)) }} as again_within_90_days,
        {{ count_where('second_at <= ' ~ add_days('first_at', 365)) }} as again_within_365_days
    from customers
    where first_at is not null
    group by cast({{ dbt.date_trunc('quarter', 'first_at') }} as date)
),

final as (
    select
        first_quarter,
        customer_count,
        {%- for days in [30, 90, 365] %}
        case
            when last_first_at <= {{ add_days(as_of(), -days) }}
                then cast(round(cast({{ safe_divide('again_within_' ~ days ~ '_days', 'customer_count') }} as numeric(28, 6)), 4) as numeric(8, 4))
        end as again_within_{{ days }}_days_share{{ ',' if not loop.last }}
        {%- endfor %}
    from cohorts
)

select * from final
order by first_quarter asc
