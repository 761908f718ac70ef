{{ config(enabled=source_is_on('hubspot')) }}

{{ collapsed_rows('hubspot', {
    'contact': {'key': 'id', 'staged': 'stg_hubspot__contacts'},
    'company': {'key': 'id', 'staged': 'stg_hubspot__companies'},
    'deal': {'key': 'deal_id', 'staged': 'stg_hubspot__deals'},
    'deal_company': {'key': ['deal_id', 'company_id'], 'staged': 'stg_hubspot__deal_companies'},
    'deal_pipeline_stage': {'key': 'stage_id', 'staged': 'stg_hubspot__deal_pipeline_stages'},
    'email_event': {'key': 'id', 'staged': 'stg_hubspot__email_events'},
}) }}
