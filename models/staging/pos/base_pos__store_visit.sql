{{ config(enabled=source_is_on('pos')) }}

{{ base_table('pos', 'store_visit') }}
