{{ config(enabled=source_is_on('klaviyo')) }}

{{ quarantine('klaviyo', {
    'person': {'key': 'id', 'staged': 'stg_klaviyo__persons'},
    'event': {'key': 'id', 'staged': 'stg_klaviyo__events'},
    'metric': {'key': 'id', 'staged': 'stg_klaviyo__metrics'},
}) }}
