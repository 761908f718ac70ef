{#-
    Every candidate value of every attribute of an entity, one row each record and attribute that holds
    one, from a relation with one row per record.
    id: customer_id or account_id. attributes: name of the attribute -> SQL expression, as text.
-#}
{% macro candidate_values(relation, id, attributes) -%}
    {%- for attribute, expression in attributes.items() %}
    select
        {{ id }},
        '{{ attribute }}' as attribute,
        {{ expression }} as value,
        record_id,
        source,
        seen_at
    from {{ relation }}
    where {{ expression }} is not null
        {%- if not loop.last %}
    union all
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#-
    The place of a source in a list of sources separated by blanks; null where it is not in the list.
    Smaller is more trusted.
-#}
{% macro source_place(source, source_order) -%}
    nullif(position(' ' || {{ source }} || ' ' in ' ' || {{ source_order }} || ' '), 0)
{%- endmacro %}


{#-
    The order in which the candidate values of an attribute are preferred: first by the strategy of the
    attribute, then by what is left to tell them apart, last by the value, so that no two ever tie.
-#}
{% macro survivorship_order() -%}
    case when strategy = 'most_trusted' then source_place end asc nulls last,
    case when strategy = 'most_frequent' then record_count end desc nulls last,
    case when strategy = 'most_complete' then length(value) end desc nulls last,
    case when strategy = 'max' then value end desc nulls last,
    case when strategy = 'min' then value end asc nulls last,
    last_seen_at desc nulls last,
    source_place asc nulls last,
    record_count desc,
    value asc
{%- endmacro %}


{#- Why the winning value won, in words. -#}
{% macro survivorship_reason() -%}
    case
        when candidate_count = 1 then 'only value'
        when strategy = 'most_trusted' then 'from the most trusted source: ' || best_source
        when strategy = 'most_frequent' then 'held by most records: ' || cast(record_count as text)
        when strategy = 'most_complete' then 'most complete'
        when strategy = 'max' then 'largest'
        when strategy = 'min' then 'smallest'
        else 'most recent'
    end
{%- endmacro %}


{#- The winning value of one attribute, as an aggregate over its candidates. -#}
{% macro winner(attribute, type='text', column='value') -%}
    cast(max(case when attribute = '{{ attribute }}' then {{ column }} end) as {{ type }})
{%- endmacro %}


{#- An address on one line from the columns of a record; null where it has neither street nor postcode. -#}
{% macro address_line(alias) -%}
    case
        when {{ alias }}.street is not null or {{ alias }}.postcode is not null
            then concat_ws(', ', {{ alias }}.street, {{ alias }}.city, {{ alias }}.region, {{ alias }}.postcode, {{ alias }}.country_code)
    end
{%- endmacro %}


{#-
    The candidate values of a relation ranked: one row per entity, attribute and value. `candidates` has
    the columns of candidate_values.
-#}
{% macro ranked_values(candidates, id, entity) -%}
    select
        {{ id }},
        attribute,
        value,
        value_rank,
        value_rank = 1 as is_winner,
        case when value_rank = 1 then {{ survivorship_reason() }} end as why,
        strategy,
        record_count,
        best_source as source,
        record_id,
        first_seen_at,
        last_seen_at
    from (
        select
            counted.*,
            count(*) over (partition by {{ id }}, attribute) as candidate_count,
            row_number() over (partition by {{ id }}, attribute order by {{ survivorship_order() }}) as value_rank
        from (
            select
                candidates.{{ id }},
                candidates.attribute,
                candidates.value,
                policy.strategy,
                count(*) as record_count,
                min({{ source_place('candidates.source', 'policy.source_order') }}) as source_place,
                split_part(min(
                    case when {{ source_place('candidates.source', 'policy.source_order') }} is null then '9999' else
                        lpad(cast({{ source_place('candidates.source', 'policy.source_order') }} as text), 4, '0') end
                    || ' ' || candidates.source
                ), ' ', 2) as best_source,
                min(candidates.record_id) as record_id,
                min(candidates.seen_at) as first_seen_at,
                max(candidates.seen_at) as last_seen_at
            from {{ candidates }} as candidates
            inner join {{ ref('survivorship') }} as policy
                on
                    policy.entity = '{{ entity }}'
                    and policy.attribute = candidates.attribute
            group by candidates.{{ id }}, candidates.attribute, candidates.value, policy.strategy
        ) as counted
    ) as ranked
{%- endmacro %}
