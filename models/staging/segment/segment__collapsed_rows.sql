{{ config(enabled=source_is_on('segment')) }}

{{ collapsed_rows('segment', {
    'identifies': {'key': 'id', 'staged': 'stg_segment__identifies'},
    'users': {'key': 'id', 'staged': 'stg_segment__users'},
    'pages': {'key': 'id', 'staged': 'stg_segment__pages'},
    'tracks': {'key': 'id', 'staged': 'stg_segment__tracks'},
}) }}
