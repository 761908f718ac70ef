-- Question: how many anonymous visitors do we come to know, and how long does it take?
-- Read: one row a quarter of the first visit. `known_share` of the browsers seen first in it belong
-- to a
-- customer by now; `known_later_count` of these were seen before anybody knew whose they were.
with browsers as (
    select
        identifier_value as anonymous_id,
        min(occurred_at) as first_seen_at,
        max(case when customer_id is not null then 1 else 0 end) as is_known
    from {{ ref('activities') }}
    where identifier_type = 'anonymous_id'
    group by identifier_value
),

identifications as (
    select
        identifier_value as anonymous_id,
        min(first_seen_at) as identified_at
    from {{ ref('customer_identifiers') }}
    where identifier_type = 'anonymous_id'
    group by identifier_value
),

final as (
    select
        cast({{ dbt.date_trunc('quarter', 'browsers.first_seen_at') }} as date) as first_quarter,
        count(*) as browser_count,
        {{ count_where('browsers.is_known = 1') }} as known_count,
        {{ count_where('browsers.is_known = 1 and identifications.identified_at > browsers.first_seen_at') }} as known_later_count,
        cast(round(cast({{ safe_divide(count_where('browsers.is_known = 1'), 'count(*)') }} as numeric(28, 6)), 4) as numeric(8, 4)) as known_share,
        cast(round(cast(avg(
            case
                when identifications.identified_at > browsers.first_seen_at
                    then {{ days_between('browsers.first_seen_at', 'identifications.identified_at') }}
            end
        ) as numeric(28, 6)), 1) as numeric(18, 1)) as mean_days_until_known
    from browsers
    left join identifications on identifications.anonymous_id = browsers.anonymous_id
    group by cast({{ dbt.date_trunc('quarter', 'browsers.first_seen_at') }} as date)
)

select * from final
order by first_quarter asc
