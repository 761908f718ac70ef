{{ config(enabled=source_is_on('zendesk')) }}

{{ collapsed_rows('zendesk', {
    'user': {'key': 'id', 'staged': 'stg_zendesk__users'},
    'organization': {'key': 'id', 'staged': 'stg_zendesk__organizations'},
    'domain_name': {'key': ['organization_id', 'domain_name'], 'staged': 'stg_zendesk__domain_names'},
    'ticket': {'key': 'id', 'staged': 'stg_zendesk__tickets'},
}) }}
