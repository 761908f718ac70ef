-- Whoever a segment selects is a member once, and the counts of segments are those of its members.
select
    segments.segment_name,
    segments.member_count,
    count(members.member_id) as found_count
from {{ ref('segments') }} as segments
left join {{ ref('segment_members') }} as members on members.segment_name = segments.segment_name
group by segments.segment_name, segments.member_count
having segments.member_count <> count(members.member_id)
