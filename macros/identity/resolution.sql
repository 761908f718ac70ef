{#- One part of what the resolution model found (it can return only one table), its columns renamed. -#}
{% macro resolution_part(resolution, part, columns) -%}
with resolution as (
    select * from {{ resolution }}
),

this_part as (
    select
        {%- for name, alias in columns.items() %}
        {{ name }} as {{ alias }}{{ ',' if not loop.last }}
        {%- endfor %}
    from resolution
    where part = '{{ part }}'
)

select * from this_part
{%- endmacro %}

{#-
    How a run's findings take the place of the last one's: row by row of the components that were
    resolved anew. Rows of part `gone` name components of which nothing else stays, one of part `all` says
    that nothing stays. Of clusters and links, the rows with a hash of all that they tell, most are told as
    before in these components: they stay where they lie, as a row that is written once more makes the engine
    write its neighbours anew.
-#}
{% macro get_incremental_by_component_sql(arg_dict) -%}
{%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
{%- set target, fresh = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
delete from {{ target }}
where exists (select 1 from {{ fresh }} where part = 'all');

delete from {{ target }}
where
    component in (select component from {{ fresh }})
    and (
        row_hash is null
        or row_hash not in (select row_hash from {{ fresh }} where row_hash is not null)
    );

insert into {{ target }} ({{ columns }})
select {{ columns }}
from {{ fresh }}
where
    part not in ('gone', 'all')
    and (
        row_hash is null
        or row_hash not in (
            select row_hash
            from {{ target }}
            where
                component in (select component from {{ fresh }})
                and row_hash is not null
        )
    )
{%- endmacro %}

{#- The stewards' decisions on an entity that are valid at the moment of this run. -#}
{% macro overrides_in_force(entity, overrides, generation) -%}
with overrides as (
    select * from {{ overrides }}
),

this_run as (
    select * from {{ generation }}
),

in_force as (
    select
        cast(overrides.decision as text) as decision,
        cast(overrides.record_id_l as text) as record_id_l,
        cast(overrides.record_id_r as text) as record_id_r,
        cast(overrides.author as text) as author,
        cast(overrides.reason as text) as reason
    from overrides
    cross join this_run
    where
        overrides.entity = '{{ entity }}'
        and (overrides.valid_from is null or cast(overrides.valid_from as timestamp) <= this_run.as_of)
        and (overrides.valid_to is null or cast(overrides.valid_to as timestamp) > this_run.as_of)
)

select * from in_force
{%- endmacro %}

{#-
    What the last run kept, so that this one need not find it again. It is never wrong, whichever run left
    it: it says of which records, settings and code it speaks. A full refresh finds everything anew.
-#}
{% macro kept_as_left(model_name) -%}
with resolution as (
    {{ previous(model_name, {
        'part': 'text', 'kind': 'text', 'chunk': 'bigint', 'settings': 'text', 'packed': 'bytea'
    }) | indent(4) }}
),

kept as (
    select
        kind,
        chunk,
        settings,
        packed
    from resolution
    where part = {{ "'kept'" if not flags.FULL_REFRESH else 'null' }}
)

select * from kept
{%- endmacro %}

{#-
    All that the last run found, as kindred.identity.resolution.PARTS lists it. It is asked for only
    where nothing has changed on which it depends.
-#}
{% macro findings_as_left(model_name) -%}
{{ previous(model_name, {
    'part': 'text',
    'record_id': 'text',
    'entity': 'text',
    'record_id_l': 'text',
    'record_id_r': 'text',
    'link_type': 'text',
    'rule': 'text',
    'match_weight': 'double precision',
    'field_weights': 'text',
    'field_levels': 'text',
    'rule_version': 'text',
    'model_version': 'text',
    'identifier_type': 'text',
    'identifier_value': 'text',
    'decision': 'text',
    'reason': 'text',
    'record_count': 'bigint',
    'name_count': 'bigint',
    'name_limit': 'bigint',
    'priority': 'bigint',
    'records_at_stake': 'bigint',
    'doubt': 'double precision',
    'metric_name': 'text',
    'dimension': 'text',
    'value': 'double precision',
    'kind': 'text',
    'chunk': 'bigint',
    'settings': 'text',
    'policy': 'text',
    'packed': 'bytea',
    'component': 'bigint',
    'row_hash': 'bigint'
}) }}
{%- endmacro %}

{#-
    Key of a pair in the review queue: it stays the same from run to run. The command that takes
    decisions back makes the same key (kindred.identity.review_file.review_id).
-#}
{% macro review_key(entity, record_id_l, record_id_r) -%}
'rev_' || {{ generate_surrogate_key([entity, record_id_l, record_id_r]) }}
{%- endmacro %}
