{{ config(enabled=source_is_on('stripe')) }}

{{ base_table('stripe', 'invoice') }}
