{{ config(enabled=source_is_on('zendesk')) }}

{{ base_table('zendesk', 'organization') }}
