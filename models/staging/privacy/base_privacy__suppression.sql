{{ base_table('privacy', 'suppression') }}
