-- Question: how well do the sources know the same people?
-- Read: one row a source. `matched_share` is the part of its people that at least one other source
-- knows;
-- `records_per_person` above 1 means that the source holds people twice.
with records as (
    select * from {{ ref('customer_source_records') }}
),

customers as (
    select * from {{ ref('customers') }}
),

people as (
    select
        customer_id,
        source,
        count(*) as record_count
    from records
    group by customer_id, source
),

final as (
    select
        people.source,
        cast(sum(people.record_count) as bigint) as record_count,
        count(*) as person_count,
        {{ count_where('customers.source_count > 1') }} as matched_count,
        cast(round(cast({{ safe_divide(count_where('customers.source_count > 1'), 'count(*)') }} as numeric(28, 6)), 4) as numeric(8, 4)) as matched_share,
        cast(round(cast({{ safe_divide('sum(people.record_count)', 'count(*)') }} as numeric(28, 6)), 2) as numeric(8, 2)) as records_per_person
    from people
    inner join customers on customers.customer_id = people.customer_id
    group by people.source
)

select * from final
order by matched_share desc, source asc
