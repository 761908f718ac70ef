{{ id_map(ref('account_id_changes'), ref('int_account_ids'), 'account_id') }}
