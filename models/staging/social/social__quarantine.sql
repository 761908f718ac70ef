{{ config(enabled=source_is_on('social')) }}

{{ quarantine('social', {
    'lead_form_submission': {'key': 'id', 'staged': 'stg_social__lead_form_submissions'},
    'engagement': {'key': 'id', 'staged': 'stg_social__engagements'},
}) }}
