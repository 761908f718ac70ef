{#-
    Ids that last: what a record was called when it was last seen, who inherits an id, and what has
    changed. The ledger is the only memory: one record_moved row for every record whose id changed
    (from null when it first came), so that any past assignment can be read back from it. Rows of a
    generation that run_history does not have belong to a run that failed: nobody reads them.
-#}

{#-
    For every record ever seen: the last id it had, since which generation, and whether it is there still.
    Most records were only ever told of by the first run: of those that were told of again, and of these
    alone, the newest row is looked for.
    among: a select of record ids, where not all are asked for.
-#}
{% macro ids_as_left(ledger, run_history, id, among=none) -%}
with ledger as (
    select * from {{ ledger }}
),

finished as (
    select * from {{ run_history }}
),

moves as (
    select
        ledger.record_id,
        ledger.from_id,
        ledger.to_id,
        ledger.generation
    from ledger
    inner join finished on ledger.generation = finished.generation
    where
        ledger.event = 'record_moved'
        {%- if among %}
        and ledger.record_id in ({{ among }})
        {%- endif %}
),

first_run as (
    select min(generation) as generation
    from moves
),

later_moves as (
    select
        moves.record_id,
        moves.from_id,
        moves.to_id,
        moves.generation,
        row_number() over (
            partition by moves.record_id
            order by moves.generation desc
        ) as newest
    from moves
    inner join first_run on moves.generation > first_run.generation
),

last_moves as (
    select
        record_id,
        from_id,
        to_id,
        generation
    from later_moves
    where newest = 1
    union all
    select
        moves.record_id,
        moves.from_id,
        moves.to_id,
        moves.generation
    from moves
    inner join first_run on moves.generation = first_run.generation
    left join later_moves on moves.record_id = later_moves.record_id
    where later_moves.record_id is null
),

as_left as (
    select
        record_id,
        coalesce(to_id, from_id) as {{ id }},
        generation,
        to_id is not null as is_present
    from last_moves
)

select * from as_left
{%- endmacro %}

{#- Every id that a finished run ever gave: since when, and whether it has since become one with another. -#}
{% macro ids_ever_given(ledger, run_history, id) -%}
with ledger as (
    select * from {{ ledger }}
),

finished as (
    select * from {{ run_history }}
),

births_and_merges as (
    select
        case when ledger.event = 'created' then ledger.to_id else ledger.from_id end as {{ id }},
        case when ledger.event = 'created' then ledger.generation end as created_generation,
        case when ledger.event = 'merged' then ledger.generation end as merged_generation
    from ledger
    inner join finished on ledger.generation = finished.generation
    where ledger.event in ('created', 'merged')
),

given as (
    select
        {{ id }},
        min(created_generation) as created_generation,
        coalesce(max(merged_generation) > max(created_generation), false) as is_merged
    from births_and_merges
    group by {{ id }}
)

select * from given
{%- endmacro %}

{#-
    Which id each record carries now. An old id goes to the cluster that holds most of its records:
    of those that the last run saw, then of those that come back (of equal ones, that of the first
    record id). Of several old ids that meet in one cluster, the
    oldest stays (of equally old ones, that with most records there, then the first by name). An id
    that was merged is out of use: a record that was gone meanwhile does not bring it back. A
    cluster without an heir gets a new id, which no id ever given may equal. Nearly every id and
    cluster belong to each other alone, with all their records: names are read and choices made for the
    others only, the open clusters.
    told: the columns that are asked for.
-#}
{% macro ids_that_last(clusters, prior, known, generation, id, prefix, told) -%}
with clusters as (
    select * from {{ clusters }}
),

prior_ids as (
    select * from {{ prior }}
),

known_ids as (
    select * from {{ known }}
),

this_run as (
    select * from {{ generation }}
),

records as (
    select
        clusters.record_id,
        clusters.cluster_label,
        prior_ids.{{ id }} as prior_id,
        prior_ids.is_present,
        prior_ids.generation as prior_generation
    from clusters
    left join prior_ids on clusters.record_id = prior_ids.record_id
),

pairs as (
    select
        prior_id,
        cluster_label,
        count(*) as record_count,
        count(case when is_present then 1 end) as present_count
    from records
    group by prior_id, cluster_label
),

-- ids with records in several clusters, and those out of use
loose_ids as (
    select prior_id
    from pairs
    where prior_id is not null
    group by prior_id
    having count(*) > 1
    union
    select {{ id }} as prior_id
    from known_ids
    where is_merged
),

-- clusters whose records did not all have one id, or one that is loose
open_clusters as (
    select cluster_label
    from pairs
    group by cluster_label
    having count(*) > 1 or count(prior_id) = 0
    union
    select pairs.cluster_label
    from pairs
    inner join loose_ids on pairs.prior_id = loose_ids.prior_id
),

open_records as (
    select
        records.record_id,
        records.cluster_label
    from records
    inner join open_clusters on records.cluster_label = open_clusters.cluster_label
),

held_records as (
    select
        pairs.prior_id as {{ id }},
        pairs.cluster_label,
        pairs.record_count,
        pairs.present_count,
        coalesce(known_ids.created_generation, 0) as created_generation
    from pairs
    inner join open_clusters on pairs.cluster_label = open_clusters.cluster_label
    left join known_ids on pairs.prior_id = known_ids.{{ id }}
    where
        pairs.prior_id is not null
        and not coalesce(known_ids.is_merged, false)
),

-- ids with records in several clusters
torn_ids as (
    select {{ id }}
    from held_records
    group by {{ id }}
    having count(*) > 1
),

parts as (
    select held_records.*
    from held_records
    inner join torn_ids on held_records.{{ id }} = torn_ids.{{ id }}
),

cluster_names as (
    select
        cluster_label,
        min(record_id) as first_record_id
    from open_records
    where cluster_label in (select cluster_label from parts)
    group by cluster_label
),

heirs as (
    select
        parts.{{ id }},
        parts.cluster_label,
        parts.record_count,
        parts.created_generation,
        row_number() over (
            partition by parts.{{ id }}
            order by
                parts.present_count desc,
                parts.record_count desc,
                cluster_names.first_record_id asc
        ) as choice
    from parts
    inner join cluster_names on parts.cluster_label = cluster_names.cluster_label
    union all
    select
        held_records.{{ id }},
        held_records.cluster_label,
        held_records.record_count,
        held_records.created_generation,
        1 as choice
    from held_records
    left join torn_ids on held_records.{{ id }} = torn_ids.{{ id }}
    where torn_ids.{{ id }} is null
),

claims as (
    select
        {{ id }},
        cluster_label,
        record_count,
        created_generation
    from heirs
    where heirs.choice = 1
),

-- clusters that several ids claim
disputed as (
    select cluster_label
    from claims
    group by cluster_label
    having count(*) > 1
),

ranked_claims as (
    select
        claims.{{ id }},
        claims.cluster_label,
        row_number() over (
            partition by claims.cluster_label
            order by
                claims.created_generation asc,
                claims.record_count desc,
                claims.{{ id }} asc
        ) as rank_in_cluster
    from claims
    inner join disputed on claims.cluster_label = disputed.cluster_label
),

inherited as (
    select
        claims.cluster_label,
        claims.{{ id }}
    from claims
    left join disputed on claims.cluster_label = disputed.cluster_label
    where disputed.cluster_label is null
    union all
    select
        cluster_label,
        {{ id }}
    from ranked_claims
    where rank_in_cluster = 1
),

without_heir as (
    select
        open_records.cluster_label,
        min(open_records.record_id) as first_record_id
    from open_records
    left join inherited on open_records.cluster_label = inherited.cluster_label
    where inherited.cluster_label is null
    group by open_records.cluster_label
),

proposed as (
    select
        without_heir.cluster_label,
        {{ new_id(prefix, ['without_heir.first_record_id', 'this_run.generation']) }} as first_choice,
        {{ new_id(prefix, ['without_heir.first_record_id', 'this_run.generation', "'again'"]) }}
            as second_choice
    from without_heir
    cross join this_run
),

new_ids as (
    select
        proposed.cluster_label,
        case
            when known_ids.{{ id }} is null then proposed.first_choice
            else proposed.second_choice
        end as {{ id }}
    from proposed
    left join known_ids on proposed.first_choice = known_ids.{{ id }}
),

cluster_ids as (
    select
        cluster_label,
        {{ id }}
    from inherited
    union all
    select
        cluster_label,
        {{ id }}
    from new_ids
),

record_ids as (
    select
        records.record_id,
        records.cluster_label,
        cast(coalesce(cluster_ids.{{ id }}, records.prior_id) as text) as {{ id }},
        cast(
            case
                when records.is_present and records.prior_id = coalesce(cluster_ids.{{ id }}, records.prior_id)
                    then records.prior_generation
                else this_run.generation
            end as bigint
        ) as generation
    from records
    left join cluster_ids on records.cluster_label = cluster_ids.cluster_label
    cross join this_run
)

select
    {%- for name in told %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from record_ids
{%- endmacro %}

{#-
    The table of ids. Where it is there already and written by difference, only what differs: records that
    came, left or lie in another cluster, as `placement` tells, a hash of record and cluster; and all
    records of the clusters and ids that these have or had, as what becomes of an id hangs on all its
    records. The table is believed where it holds what the ledger of finished runs tells, no more and no
    less; else every record counts as moved, and its id comes from the ledger.
-#}
{% macro lasting_ids(clusters, prior, known, ledger, run_history, generation, id, prefix) -%}
    {%- set is_kept = config.get('materialized') == 'incremental' -%}
    {%- set placement = row_hash(['record_id', 'cluster_label']) -%}
    {%- set held = [] -%}
    {%- if execute and is_kept and is_incremental() -%}
        {%- set held = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    {%- endif -%}
    {%- if 'placement' not in held -%}
        {%- set told = ['record_id', id, 'generation'] + ([placement ~ ' as placement'] if is_kept else []) -%}
{{ ids_that_last(clusters, prior, known, generation, id, prefix, told) }}
    {%- else -%}
with placed_now as {{ not_materialized() }} (
    select
        record_id,
        cluster_label,
        {{ placement }} as placement
    from {{ clusters }}
),

ids_before as {{ not_materialized() }} (
    select * from {{ this }}
),

told_by_ledger as (
    select
        ledger.record_id,
        ledger.from_id,
        ledger.to_id
    from {{ ledger }} as ledger
    inner join {{ run_history }} as finished on ledger.generation = finished.generation
    where ledger.event = 'record_moved'
),

-- from one id to the next: of each record the last id is left
checked as (
    select
        coalesce(
            (
                select sum({{ row_hash(['record_id', id]) }})
                from ids_before
            ) = (
                select
                    sum(case when to_id is not null then {{ row_hash(['record_id', 'to_id']) }} else 0 end)
                    - sum(case when from_id is not null then {{ row_hash(['record_id', 'from_id']) }} else 0 end)
                from told_by_ledger
            ),
            false
        ) as is_right
),

moved as (
    select
        placed_now.record_id,
        placed_now.cluster_label,
        ids_before.record_id as record_before,
        ids_before.{{ id }} as id_before
    from placed_now
    full outer join ids_before on placed_now.placement = ids_before.placement
    where
        placed_now.placement is null
        or ids_before.placement is null
        or not (select checked.is_right from checked)
),

-- records of which the table tells nothing
unknown as (
    select moved.record_id
    from moved
    left join moved as known on moved.record_id = known.record_before
    cross join checked
    where
        moved.record_id is not null
        and (known.record_before is null or not checked.is_right)
),

known_from_ledger as (
    {{ ids_as_left(ledger, run_history, id, among='select unknown.record_id from unknown') | indent(4) }}
),

asked_ids as (
    select id_before as {{ id }}
    from moved
    where id_before is not null
    union
    select {{ id }}
    from known_from_ledger
),

left_in_place as (
    select ids_before.placement
    from ids_before
    where ids_before.{{ id }} in (select asked_ids.{{ id }} from asked_ids)
),

asked_labels as (
    select cluster_label
    from moved
    where cluster_label is not null
    union
    select placed_now.cluster_label
    from placed_now
    where placed_now.placement in (select left_in_place.placement from left_in_place)
),

asked_clusters as (
    select
        record_id,
        cluster_label,
        placement
    from placed_now
    where cluster_label in (select asked_labels.cluster_label from asked_labels)
),

asked_before as (
    select ids_before.*
    from ids_before
    where ids_before.record_id in (select asked_clusters.record_id from asked_clusters)
),

asked_prior as (
    select
        asked_before.record_id,
        asked_before.{{ id }},
        asked_before.generation,
        true as is_present
    from asked_before
    cross join checked
    where checked.is_right
    union all
    select
        record_id,
        {{ id }},
        generation,
        is_present
    from known_from_ledger
),

chosen as (
    {{ ids_that_last('asked_clusters', 'asked_prior', known, generation, id, prefix, ['record_id', id, 'generation']) | indent(4) }}
),

differing as (
    select
        chosen.record_id,
        chosen.{{ id }},
        chosen.generation,
        asked_clusters.placement
    from chosen
    inner join asked_clusters on chosen.record_id = asked_clusters.record_id
    left join asked_before on chosen.record_id = asked_before.record_id
    where
        asked_before.record_id is null
        or asked_before.{{ id }} <> chosen.{{ id }}
        or asked_before.generation <> chosen.generation
        or asked_before.placement <> asked_clusters.placement
    union all
    select
        gone.record_before as record_id,
        cast(null as text) as {{ id }},
        cast(null as bigint) as generation,
        null as placement
    from moved as gone
    left join moved as still_there on gone.record_before = still_there.record_id
    where
        gone.record_before is not null
        and still_there.record_id is null
)

select * from differing
    {%- endif -%}
{%- endmacro %}

{% macro new_id(prefix, parts) -%}
'{{ prefix }}_' || substr({{ sha256_hex("'" ~ prefix ~ "'" ~ " || '|' || cast(" ~ parts | join(" as text) || '|' || cast(") ~ " as text)") }}, 1, 16)
{%- endmacro %}

{#-
    What this run changed; at least its run_started row. A record that came or carries another id does so
    since this run, so that only of these, and of what is gone, is asked what the ledger tells of them.
-#}
{% macro id_events(ids, ledger, run_history, known, generation, id) -%}
with ids as {{ not_materialized() }} (
    select * from {{ ids }}
),

known_ids as (
    select * from {{ known }}
),

this_run as (
    select * from {{ generation }}
),

-- records that came or carry another id now
given as (
    select
        ids.record_id,
        ids.{{ id }}
    from ids
    inner join this_run on ids.generation = this_run.generation
),

-- records that were there once and are not now
gone as (
    select distinct told.record_id
    from {{ ledger }} as told
    left join ids on told.record_id = ids.record_id
    where
        told.event = 'record_moved'
        and ids.record_id is null
),

asked as (
    select record_id from given
    union all
    select record_id from gone
),

prior_ids as (
    {{ ids_as_left(ledger, run_history, id, among='select asked.record_id from asked') | indent(4) }}
),

-- what a run tells of it tells of the records that came, left or carry another id now
moved as (
    select
        given.record_id,
        prior_ids.{{ id }} as from_id,
        given.{{ id }} as to_id,
        prior_ids.is_present as was_present
    from given
    left join prior_ids on given.record_id = prior_ids.record_id
    union all
    select
        prior_ids.record_id,
        prior_ids.{{ id }} as from_id,
        cast(null as text) as to_id,
        prior_ids.is_present as was_present
    from prior_ids
    inner join gone on prior_ids.record_id = gone.record_id
    where prior_ids.is_present
),

touched as (
    select from_id as {{ id }}
    from moved
    where from_id is not null
    union
    select to_id as {{ id }}
    from moved
    where to_id is not null
),

ids_now as (
    select
        {{ id }},
        count(*) as record_count,
        min(record_id) as first_record_id
    from ids
    where {{ id }} in (select touched.{{ id }} from touched)
    group by {{ id }}
),

carried_before as (
    select ids.{{ id }}
    from ids
    inner join this_run on ids.generation <> this_run.generation
    where ids.{{ id }} in (select touched.{{ id }} from touched)
    union all
    select from_id as {{ id }}
    from moved
    where was_present
),

ids_before as (
    select
        {{ id }},
        count(*) as record_count
    from carried_before
    group by {{ id }}
),

flows as (
    select
        moved.from_id,
        moved.to_id,
        count(*) as record_count,
        count(case when moved.was_present then 1 end) as present_count
    from moved
    left join known_ids on moved.from_id = known_ids.{{ id }}
    where
        moved.from_id is not null
        and moved.to_id is not null
        and not coalesce(known_ids.is_merged, false)
    group by moved.from_id, moved.to_id
),

largest_flows as (
    select
        flows.from_id,
        flows.to_id,
        flows.record_count,
        row_number() over (
            partition by flows.from_id
            order by
                flows.present_count desc,
                flows.record_count desc,
                ids_now.first_record_id asc
        ) as place
    from flows
    inner join ids_now on flows.to_id = ids_now.{{ id }}
),

created as (
    select
        'created' as event,
        cast(null as text) as from_id,
        ids_now.{{ id }} as to_id,
        cast(null as text) as record_id,
        ids_now.record_count,
        case
            when known_ids.{{ id }} is null then 'new records, or a part split off'
            else 'records of a retired id came back'
        end as cause
    from ids_now
    left join ids_before on ids_now.{{ id }} = ids_before.{{ id }}
    left join known_ids on ids_now.{{ id }} = known_ids.{{ id }}
    where ids_before.{{ id }} is null
),

merged as (
    select
        'merged' as event,
        largest_flows.from_id,
        largest_flows.to_id,
        cast(null as text) as record_id,
        largest_flows.record_count,
        'most of its records are now one with an older id' as cause
    from largest_flows
    left join ids_now on largest_flows.from_id = ids_now.{{ id }}
    where
        largest_flows.place = 1
        and ids_now.{{ id }} is null
),

split as (
    select
        'split' as event,
        flows.from_id,
        flows.to_id,
        cast(null as text) as record_id,
        flows.present_count as record_count,
        'some of its records are no longer one with the rest' as cause
    from flows
    left join merged
        on
            flows.from_id = merged.from_id
            and flows.to_id = merged.to_id
    where
        flows.from_id <> flows.to_id
        and flows.present_count > 0
        and merged.from_id is null
),

retired as (
    select
        'retired' as event,
        ids_before.{{ id }} as from_id,
        cast(null as text) as to_id,
        cast(null as text) as record_id,
        ids_before.record_count,
        'all its records are gone' as cause
    from ids_before
    left join ids_now on ids_before.{{ id }} = ids_now.{{ id }}
    left join merged on ids_before.{{ id }} = merged.from_id
    where
        ids_now.{{ id }} is null
        and merged.from_id is null
),

record_moved as (
    select
        'record_moved' as event,
        case when was_present then from_id end as from_id,
        to_id,
        record_id,
        cast(1 as bigint) as record_count,
        case
            when from_id is null then 'first seen'
            when not was_present then 'came back'
            else 'matched anew'
        end as cause
    from moved
    where to_id is not null
),

record_left as (
    select
        'record_moved' as event,
        from_id,
        to_id,
        record_id,
        cast(1 as bigint) as record_count,
        'no longer in the sources' as cause
    from moved
    where to_id is null
),

run_started as (
    select
        'run_started' as event,
        cast(null as text) as from_id,
        cast(null as text) as to_id,
        cast(null as text) as record_id,
        cast(null as bigint) as record_count,
        cast(null as text) as cause
    from this_run
),

events as (
    select * from run_started
    union all
    select * from created
    union all
    select * from merged
    union all
    select * from split
    union all
    select * from retired
    union all
    select * from record_moved
    union all
    select * from record_left
),

dated as (
    select
        this_run.generation,
        cast(events.event as text) as event,
        cast(events.from_id as text) as from_id,
        cast(events.to_id as text) as to_id,
        cast(events.record_id as text) as record_id,
        cast(events.record_count as bigint) as record_count,
        cast(events.cause as text) as cause,
        this_run.as_of as occurred_at
    from events
    cross join this_run
)

select * from dated
{%- endmacro %}

{#-
    The finished runs whose changes stand in the table of changes as the ledger tells them, event by
    event: their rows need not be written again. A run that a table lacks, or of which it holds what
    came of another attempt, is not among them.
-#}
{% macro changes_as_left(model_name, ledger, run_history) -%}
with changes as (
    {{ previous(model_name, {
        'generation': 'bigint', 'event': 'text', 'record_count': 'bigint', 'occurred_at': 'timestamp'
    }) | indent(4) }}
),

ledger as (
    select * from {{ ledger }}
),

finished as (
    select * from {{ run_history }}
),

counted as (
    select
        generation,
        event,
        occurred_at,
        count(*) as change_count,
        sum(record_count) as record_count
    from changes
    group by generation, event, occurred_at
    union all
    select
        generation,
        event,
        occurred_at,
        count(*) as change_count,
        sum(record_count) as record_count
    from ledger
    where event <> 'run_started'
    group by generation, event, occurred_at
),

differing as (
    select generation
    from counted
    group by generation, event, occurred_at, change_count, record_count
    having count(*) <> 2
),

kept as (
    select finished.generation
    from finished
    where finished.generation not in (select differing.generation from differing)
)

select * from kept
{%- endmacro %}

{#-
    The ledger as finished runs and this one wrote it, without the runs' own rows. Where the table is
    there already, the changes that it lacks; it keeps those of the generations `kept`.
-#}
{% macro id_changes(ledger, kept, run_history, generation, id) -%}
with ledger as (
    select * from {{ ledger }}
),

kept as (
    select * from {{ kept }}
    {%- if not is_incremental() %}
    where 1 = 0
    {%- endif %}
),

finished as (
    select generation from {{ run_history }}
    union
    select generation from {{ generation }}
),

wanted as (
    select finished.generation
    from finished
    left join kept on finished.generation = kept.generation
    where kept.generation is null
),

changes as (
    select
        cast({{ generate_surrogate_key([
            'ledger.generation', 'ledger.event', 'ledger.from_id', 'ledger.to_id', 'ledger.record_id'
        ]) }} as text) as change_id,
        ledger.generation,
        ledger.event,
        ledger.from_id as from_{{ id }},
        ledger.to_id as to_{{ id }},
        ledger.record_id,
        ledger.record_count,
        ledger.cause,
        ledger.occurred_at
    from ledger
    inner join wanted on ledger.generation = wanted.generation
    where ledger.event <> 'run_started'
)

select * from changes
{%- endmacro %}

{#- Every id ever given, and the id that now stands for it (null where all its records are gone). -#}
{% macro id_map(changes, ids, id) -%}
with recursive changes as (
    select * from {{ changes }}
),

ids as (
    select * from {{ ids }}
),

given as (
    select
        to_{{ id }} as {{ id }},
        min(generation) as created_generation,
        min(occurred_at) as created_at
    from changes
    where event = 'created'
    group by to_{{ id }}
),

current_ids as (
    select distinct {{ id }}
    from ids
),

ends as (
    select
        from_{{ id }} as {{ id }},
        to_{{ id }},
        event,
        generation,
        row_number() over (
            partition by from_{{ id }}
            order by generation desc, event asc
        ) as newest
    from changes
    where event in ('merged', 'retired')
),

-- only from ids that nobody carries any more
hops as (
    select
        given.{{ id }},
        given.{{ id }} as reached_id,
        0 as hop_count
    from given
    left join current_ids on given.{{ id }} = current_ids.{{ id }}
    where current_ids.{{ id }} is null
    union all
    select
        hops.{{ id }},
        ends.to_{{ id }} as reached_id,
        hops.hop_count + 1 as hop_count
    from hops
    inner join ends
        on
            hops.reached_id = ends.{{ id }}
            and ends.newest = 1
            and ends.event = 'merged'
    left join current_ids on hops.reached_id = current_ids.{{ id }}
    where
        current_ids.{{ id }} is null
        and hops.hop_count < 1000
),

resolved as (
    select
        hops.{{ id }},
        min(hops.reached_id) as current_{{ id }}
    from hops
    inner join current_ids on hops.reached_id = current_ids.{{ id }}
    group by hops.{{ id }}
),

id_states as (
    select
        given.{{ id }},
        coalesce(current_ids.{{ id }}, resolved.current_{{ id }}) as current_{{ id }},
        case
            when current_ids.{{ id }} is not null then 'current'
            when resolved.current_{{ id }} is not null then 'merged'
            else 'retired'
        end as status,
        cast(given.created_generation as bigint) as created_generation,
        cast(given.created_at as timestamp) as created_at
    from given
    left join current_ids on given.{{ id }} = current_ids.{{ id }}
    left join resolved on given.{{ id }} = resolved.{{ id }}
)

select * from id_states
{%- endmacro %}
