{{ config(enabled=source_is_on('klaviyo')) }}

{{ base_table('klaviyo', 'metric') }}
