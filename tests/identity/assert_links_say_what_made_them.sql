-- Whoever doubts a link finds what made it: for a rule its version, for a weighed one the model and
-- the likeness of the fields.
with links as (
    select * from {{ ref('identity_links') }}
)

select link_id
from links
where
    (link_type = 'deterministic' and rule_version is null)
    or (
        link_type = 'probabilistic'
        and (
            match_weight is null
            or field_weights is null
            or field_levels is null
            or model_version is null
        )
    )
