-- Question: how many of our customers may we reach, by which channel, and who holds the evidence?
-- Read: one row a purpose, channel, status and source of the evidence, of the contact points that
-- `customers`
-- shows. `share` is of all customers with such a contact point; everything but `granted` may not be
-- used.
with consents as (
    select * from {{ ref('customer_consents') }}
    where is_primary
),

totals as (
    select
        purpose,
        channel,
        count(*) as customer_count
    from consents
    group by purpose, channel
),

final as (
    select
        consents.purpose,
        consents.channel,
        consents.status,
        coalesce(consents.source, 'no evidence') as source,
        count(*) as customer_count,
        cast(round(cast({{ safe_divide('count(*)', 'totals.customer_count') }} as numeric(28, 6)), 4) as numeric(8, 4)) as share
    from consents
    inner join totals
        on
            totals.purpose = consents.purpose
            and totals.channel = consents.channel
    group by
        consents.purpose,
        consents.channel,
        consents.status,
        coalesce(consents.source, 'no evidence'),
        totals.customer_count
)

select * from final
order by purpose asc, channel asc, customer_count desc, status asc, source asc
