with records as (
    select * from {{ ref('int_account_records') }}
),

candidates as (
    {{ candidate_values('records', 'account_id', {
        'name': 'name',
        'domain': 'domain',
        'phone': 'phone',
        'address': 'address',
        'registration_number': 'registration_number',
        'industry': 'industry',
        'employee_count': 'cast(employee_count as text)',
        'annual_revenue': 'cast(annual_revenue as text)'
    }) }}
),

ranked as (
    {{ ranked_values('candidates', 'account_id', 'account') }}
),

pivoted as (
    select
        account_id,
        {{ winner('name') }} as name,
        {{ winner('domain') }} as domain,
        {{ winner('phone') }} as phone,
        {{ winner('address') }} as address,
        {{ winner('address', column='record_id') }} as address_record_id,
        {{ winner('registration_number') }} as registration_number,
        {{ winner('industry') }} as industry,
        {{ winner('employee_count', type='bigint') }} as employee_count,
        {{ winner('annual_revenue', type='numeric(18, 2)') }} as annual_revenue
    from ranked
    where is_winner
    group by account_id
),

final as (
    select
        pivoted.account_id,
        pivoted.name,
        pivoted.domain,
        pivoted.phone,
        pivoted.address,
        records.street,
        records.city,
        records.region,
        records.postcode,
        records.country_code,
        pivoted.registration_number,
        pivoted.industry,
        pivoted.employee_count,
        pivoted.annual_revenue
    from pivoted
    left join records on records.record_id = pivoted.address_record_id
)

select * from final
