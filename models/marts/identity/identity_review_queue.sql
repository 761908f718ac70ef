with person_review as (
    select * from {{ ref('int_person_review') }}
),

account_review as (
    select * from {{ ref('int_account_review') }}
),

person_ids as (
    select * from {{ ref('int_person_ids') }}
),

account_ids as (
    select * from {{ ref('int_account_ids') }}
),

together as (
    select
        'person' as entity,
        person_review.*
    from person_review
    union all
    select
        'account' as entity,
        account_review.*
    from account_review
),

-- of all records, the few that are asked about
asked as (
    select
        entity,
        record_id_l as record_id
    from together
    union distinct
    select
        entity,
        record_id_r as record_id
    from together
),

ids as (
    select
        asked.entity,
        asked.record_id,
        person_ids.customer_id,
        cast(null as text) as account_id
    from asked
    inner join person_ids on asked.record_id = person_ids.record_id
    where asked.entity = 'person'
    union all
    select
        asked.entity,
        asked.record_id,
        cast(null as text) as customer_id,
        account_ids.account_id
    from asked
    inner join account_ids on asked.record_id = account_ids.record_id
    where asked.entity = 'account'
),

queue as (
    select
        cast({{ review_key('together.entity', 'together.record_id_l', 'together.record_id_r') }} as text)
            as review_id,
        cast(together.entity as text) as entity,
        together.record_id_l,
        together.record_id_r,
        ids_l.customer_id as customer_id_l,
        ids_r.customer_id as customer_id_r,
        ids_l.account_id as account_id_l,
        ids_r.account_id as account_id_r,
        cast(together.reason as text) as reason,
        cast(
            case together.reason
                when 'held back: too large'
                    then 'A large group hangs together loosely: are these two the same?'
                when 'thin cluster'
                    then 'This is the weakest of few links: are these two the same?'
                when 'large cluster'
                    then 'The group is unusually large: are these two the same?'
                when 'bridge'
                    then 'Only this link holds two groups together: are they the same?'
                when 'just above the threshold'
                    then 'These are taken to be the same by a narrow margin: are they?'
                when 'just below the threshold'
                    then 'These are taken to be different by a narrow margin: are they the same?'
            end as text
        ) as what_to_decide,
        together.field_weights,
        cast(together.priority as bigint) as priority,
        cast(together.match_weight as double precision) as match_weight,
        cast(together.doubt as double precision) as doubt,
        cast(together.record_count as bigint) as record_count,
        cast(together.records_at_stake as bigint) as records_at_stake
    from together
    inner join ids as ids_l
        on together.entity = ids_l.entity and together.record_id_l = ids_l.record_id
    inner join ids as ids_r
        on together.entity = ids_r.entity and together.record_id_r = ids_r.record_id
)

select * from queue
