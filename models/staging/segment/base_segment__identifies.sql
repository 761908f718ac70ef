{{ config(enabled=source_is_on('segment')) }}

{{ base_table('segment', 'identifies') }}
