with records as (
    select * from {{ ref('int_customer_records') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

account_records as (
    select * from {{ ref('int_account_records') }}
),

freemail_domains as (
    select * from {{ ref('freemail_domains') }}
),

-- A domain or name that several companies share says nothing about which of them it is.
account_domains as (
    select
        domain,
        min(account_id) as account_id
    from account_records
    where
        domain is not null
        and domain not in (select domain from freemail_domains)
    group by domain
    having count(distinct account_id) = 1
),

account_names as (
    select
        lower(name) as name,
        min(account_id) as account_id
    from account_records
    where name is not null
    group by lower(name)
    having count(distinct account_id) = 1
),

evidence as (
    select
        records.customer_id,
        account_ids.account_id,
        'source relation' as evidence,
        1 as evidence_rank,
        records.record_id,
        records.created_at,
        records.seen_at
    from records
    inner join account_ids on account_ids.record_id = records.account_record_id
    union all
    select
        records.customer_id,
        account_domains.account_id,
        'work email domain' as evidence,
        2 as evidence_rank,
        records.record_id,
        records.created_at,
        records.seen_at
    from records
    inner join account_domains on account_domains.domain = split_part(records.email, '@', 2)
    union all
    select
        records.customer_id,
        account_domains.account_id,
        'company domain' as evidence,
        3 as evidence_rank,
        records.record_id,
        records.created_at,
        records.seen_at
    from records
    inner join account_domains on account_domains.domain = records.company_domain
    union all
    select
        records.customer_id,
        account_names.account_id,
        'company name' as evidence,
        4 as evidence_rank,
        records.record_id,
        records.created_at,
        records.seen_at
    from records
    inner join account_names on account_names.name = lower(records.company_name)
),

related as (
    select
        customer_id,
        account_id,
        min(evidence_rank) as evidence_rank,
        count(distinct record_id) as record_count,
        min(created_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from evidence
    group by customer_id, account_id
),

final as (
    select
        customer_id,
        account_id,
        case evidence_rank
            when 1 then 'source relation'
            when 2 then 'work email domain'
            when 3 then 'company domain'
            else 'company name'
        end as evidence,
        record_count,
        row_number() over (
            partition by customer_id
            order by
                evidence_rank asc,
                last_seen_at desc nulls last,
                record_count desc,
                account_id asc
        ) = 1 as is_primary,
        first_seen_at,
        last_seen_at
    from related
)

select * from final
