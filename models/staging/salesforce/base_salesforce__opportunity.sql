{{ config(enabled=source_is_on('salesforce')) }}

{{ base_table('salesforce', 'opportunity') }}
