with records as (
    select * from {{ ref('int_account_records') }}
),

attributes as (
    select * from {{ ref('int_account_attributes') }}
),

traits as (
    select * from {{ ref('int_account_traits') }}
),

grouped as (
    select
        account_id,
        count(*) as record_count,
        {{ dbt.listagg('distinct source', "', '", 'order by source') }} as sources,
        min(created_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from records
    group by account_id
),

-- The parent that most records of the company name, never the company itself.
parents as (
    select
        account_id,
        parent_account_id,
        row_number() over (
            partition by account_id
            order by count(*) desc, max(seen_at) desc nulls last, parent_account_id asc
        ) as place
    from records
    where
        parent_account_id is not null
        and parent_account_id <> account_id
    group by account_id, parent_account_id
),

final as (
    select
        grouped.account_id,
        parents.parent_account_id,

        attributes.name,
        attributes.domain,
        attributes.phone,
        attributes.address,
        attributes.street,
        attributes.city,
        attributes.region,
        attributes.postcode,
        attributes.country_code,
        attributes.registration_number,
        attributes.industry,
        attributes.employee_count,
        attributes.annual_revenue,

        grouped.sources,
        grouped.record_count,

        traits.customer_count,
        traits.active_customer_count_90d,
        traits.open_opportunity_count,
        traits.open_opportunity_amount,
        traits.won_opportunity_count,
        traits.won_amount,
        traits.open_ticket_count,
        traits.tickets_90d,
        traits.currency,
        traits.order_count,
        traits.revenue_amount,
        traits.revenue_365d_amount,
        traits.other_currency_transaction_count,

        grouped.first_seen_at,
        grouped.last_seen_at,
        traits.last_won_at,
        traits.last_order_at,
        traits.last_activity_at
    from grouped
    left join attributes on attributes.account_id = grouped.account_id
    left join traits on traits.account_id = grouped.account_id
    left join parents
        on
            parents.account_id = grouped.account_id
            and parents.place = 1
)

select * from final
