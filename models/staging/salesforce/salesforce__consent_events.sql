{{ config(enabled=source_is_on('salesforce')) }}

with persons as (
    select
        record_id,
        email,
        mobile_phone,
        office_phone,
        country_code,
        has_opted_out_of_email,
        is_not_to_be_called,
        created_at,
        updated_at,
        loaded_at
    from {{ ref('stg_salesforce__contacts') }}
    union all
    select
        record_id,
        email,
        mobile_phone,
        office_phone,
        country_code,
        has_opted_out_of_email,
        is_not_to_be_called,
        created_at,
        updated_at,
        loaded_at
    from {{ ref('stg_salesforce__leads') }}
),

flags as (
    select
        *,
        'has_opted_out_of_email' as flag,
        'email' as field,
        'email' as identifier_type,
        email as identifier_value,
        'withdraw' as restriction,
        has_opted_out_of_email as is_set
    from persons
    union all
    select
        *,
        'do_not_call' as flag,
        'mobile_phone' as field,
        'phone' as identifier_type,
        mobile_phone as identifier_value,
        'object' as restriction,
        is_not_to_be_called as is_set
    from persons
    union all
    select
        *,
        'do_not_call' as flag,
        'office_phone' as field,
        'phone' as identifier_type,
        office_phone as identifier_value,
        'object' as restriction,
        is_not_to_be_called as is_set
    from persons
),

decisions as (
    -- A flag that is not set is how the system came, not a decision of the person: never a grant.
    select
        *,
        case when is_set then restriction else 'source_default' end as action,
        case
            when is_set then coalesce(updated_at, created_at, loaded_at)
            else coalesce(created_at, loaded_at)
        end as occurred_at
    from flags
    where is_set is not null and identifier_value is not null
),

final as (
    select
        record_id || ':' || flag || ':' || field || ':' || {{ generate_surrogate_key(['action', 'occurred_at']) }} as consent_event_id,
        'salesforce' as source,
        record_id,
        identifier_type,
        identifier_value,
        null as brand,
        'marketing' as purpose,
        identifier_type as channel,
        action,
        null as legal_basis,
        occurred_at,
        occurred_at as effective_from,
        null as effective_to,
        null as notice_id,
        null as notice_version,
        'record flag' as method,
        null as actor,
        country_code as jurisdiction,
        flag || '=' || case when is_set then 'true' else 'false' end as raw_signal,
        loaded_at
    from decisions
)

select * from final
