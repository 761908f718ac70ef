-- No steward decides about one record twice named, or for a time that ends before it begins: such a
-- line would never hold, and nobody would be told.
with overrides as (
    select * from {{ ref('identity_overrides') }}
)

select
    entity,
    record_id_l,
    record_id_r,
    author
from overrides
where
    record_id_l = record_id_r
    or valid_to < valid_from
