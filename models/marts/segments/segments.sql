with registered as (
    {%- for segment in registered_segments() %}
    select
        {{ text_literal(segment.name) }} as segment_name,
        {{ text_literal(segment.description) }} as description,
        {{ text_literal(segment.owner) }} as owner,
        {{ text_literal(segment.purpose) }} as purpose,
        {{ text_literal(segment.entity) }} as entity
        {%- if not loop.last %}
    union all
        {%- endif -%}
    {%- else %}
    select
        cast(null as text) as segment_name,
        cast(null as text) as description,
        cast(null as text) as owner,
        cast(null as text) as purpose,
        cast(null as text) as entity
    where 1 = 0
    {%- endfor %}
),

member_counts as (
    select
        segment_name,
        count(*) as member_count
    from {{ ref('segment_members') }}
    group by segment_name
),

final as (
    select
        registered.segment_name,
        registered.description,
        registered.owner,
        registered.purpose,
        registered.entity,
        coalesce(member_counts.member_count, 0) as member_count
    from registered
    left join member_counts on member_counts.segment_name = registered.segment_name
)

select * from final
