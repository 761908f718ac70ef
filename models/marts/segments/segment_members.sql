with members as (
    {%- for segment in registered_segments() %}
    select
        {{ text_literal(segment.name) }} as segment_name,
        {{ text_literal(segment.entity) }} as entity,
        {{ segment.entity }}_id as member_id
    from {{ segment.relation }}
    where {{ segment.entity }}_id is not null
        {%- if not loop.last %}
    union
        {%- endif -%}
    {%- else %}
    select
        cast(null as text) as segment_name,
        cast(null as text) as entity,
        cast(null as text) as member_id
    where 1 = 0
    {%- endfor %}
),

final as (
    select
        {{ generate_surrogate_key(['segment_name', 'member_id']) }} as segment_member_id,
        segment_name,
        entity,
        member_id,
        case when entity = 'customer' then member_id end as customer_id,
        case when entity = 'account' then member_id end as account_id
    from members
)

select * from final
