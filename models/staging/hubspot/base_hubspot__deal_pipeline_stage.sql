{{ config(enabled=source_is_on('hubspot')) }}

{{ base_table('hubspot', 'deal_pipeline_stage') }}
