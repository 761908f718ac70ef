{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='generation',
    full_refresh=false,
    on_schema_change='append_new_columns'
) }}

with this_run as (
    select * from {{ ref('generation') }}
),

customer_records as (
    select
        'person' as entity,
        customer_id as entity_id,
        source
    from {{ ref('customer_source_records') }}
),

account_records as (
    select
        'account' as entity,
        account_id as entity_id,
        source
    from {{ ref('account_source_records') }}
),

source_records as (
    select * from customer_records
    union all
    select * from account_records
),

links as (
    select * from {{ ref('identity_links') }}
),

changes as (
    select
        'person' as entity,
        generation,
        event,
        from_customer_id as from_id,
        to_customer_id as to_id
    from {{ ref('customer_id_changes') }}
    union all
    select
        'account' as entity,
        generation,
        event,
        from_account_id as from_id,
        to_account_id as to_id
    from {{ ref('account_id_changes') }}
),

sizes as (
    select
        entity,
        entity_id,
        count(*) as record_count
    from source_records
    group by entity, entity_id
),

records_matched as (
    select
        source_records.entity,
        source_records.source,
        case when sizes.record_count > 1 then 1 else 0 end as is_matched
    from source_records
    inner join sizes
        on
            source_records.entity = sizes.entity
            and source_records.entity_id = sizes.entity_id
),

match_rates as (
    select
        entity,
        'match_rate' as metric_name,
        source as dimension,
        cast(sum(is_matched) as double precision) / count(*) as value
    from records_matched
    group by entity, source
),

match_rate_overall as (
    select
        entity,
        'match_rate' as metric_name,
        'all sources' as dimension,
        cast(sum(is_matched) as double precision) / count(*) as value
    from records_matched
    group by entity
),

linked_records as (
    select
        entity,
        rule,
        record_id_l as record_id
    from links
    union
    select
        entity,
        rule,
        record_id_r as record_id
    from links
),

record_counts as (
    select
        entity,
        count(*) as record_count
    from source_records
    group by entity
),

match_rates_by_rule as (
    select
        linked_records.entity,
        'match_rate_by_rule' as metric_name,
        linked_records.rule as dimension,
        cast(count(*) as double precision) / max(record_counts.record_count) as value
    from linked_records
    inner join record_counts on linked_records.entity = record_counts.entity
    group by linked_records.entity, linked_records.rule
),

cluster_sizes as (
    select
        entity,
        'entities_by_size' as metric_name,
        case
            when record_count <= 5 then cast(record_count as text)
            when record_count <= 10 then '6-10'
            when record_count <= 25 then '11-25'
            else 'over 25'
        end as dimension,
        cast(count(*) as double precision) as value
    from sizes
    group by
        entity,
        case
            when record_count <= 5 then cast(record_count as text)
            when record_count <= 10 then '6-10'
            when record_count <= 25 then '11-25'
            else 'over 25'
        end
),

largest as (
    select
        entity,
        'largest_entity' as metric_name,
        '' as dimension,
        cast(max(record_count) as double precision) as value
    from sizes
    group by entity
),

link_counts as (
    select
        entity,
        'links' as metric_name,
        rule as dimension,
        cast(count(*) as double precision) as value
    from links
    group by entity, rule
),

deterministic_share as (
    select
        entity,
        'deterministic_share' as metric_name,
        '' as dimension,
        cast(sum(case when link_type = 'deterministic' then 1 else 0 end) as double precision)
        / count(*) as value
    from links
    group by entity
),

changes_of_this_run as (
    select
        changes.entity,
        case
            when changes.event <> 'record_moved' then changes.event
            when changes.from_id is null then 'record joined'
            when changes.to_id is null then 'record left'
            else 'record moved'
        end as change
    from changes
    inner join this_run on changes.generation = this_run.generation
),

kinds_of_change as (
    select
        entities.entity,
        kinds.change
    from (values ('person'), ('account')) as entities (entity)
    cross join (
        values
        ('created'), ('merged'), ('split'), ('retired'),
        ('record joined'), ('record left'), ('record moved')
    ) as kinds (change)
),

id_changes as (
    select
        kinds_of_change.entity,
        'id_changes' as metric_name,
        kinds_of_change.change as dimension,
        cast(count(changes_of_this_run.change) as double precision) as value
    from kinds_of_change
    left join changes_of_this_run
        on
            kinds_of_change.entity = changes_of_this_run.entity
            and kinds_of_change.change = changes_of_this_run.change
    group by kinds_of_change.entity, kinds_of_change.change
),

id_churn as (
    select
        id_changes.entity,
        'id_churn' as metric_name,
        '' as dimension,
        id_changes.value / record_counts.record_count as value
    from id_changes
    inner join record_counts on id_changes.entity = record_counts.entity
    where id_changes.dimension = 'record moved'
),

person_numbers as (
    select
        'person' as entity,
        metric_name,
        dimension,
        value
    from {{ ref('int_person_resolution_numbers') }}
),

account_numbers as (
    select
        'account' as entity,
        metric_name,
        dimension,
        value
    from {{ ref('int_account_resolution_numbers') }}
),

metrics as (
    select * from match_rates
    union all
    select * from match_rate_overall
    union all
    select * from match_rates_by_rule
    union all
    select * from cluster_sizes
    union all
    select * from largest
    union all
    select * from link_counts
    union all
    select * from deterministic_share
    union all
    select * from id_changes
    union all
    select * from id_churn
    union all
    select * from person_numbers
    union all
    select * from account_numbers
),

dated as (
    select
        cast({{ generate_surrogate_key([
            'this_run.generation', 'metrics.entity', 'metrics.metric_name', 'metrics.dimension'
        ]) }} as text) as health_id,
        this_run.generation,
        cast(metrics.entity as text) as entity,
        cast(metrics.metric_name as text) as metric_name,
        cast(metrics.dimension as text) as dimension,
        cast(metrics.value as double precision) as value
    from metrics
    cross join this_run
)

select * from dated
