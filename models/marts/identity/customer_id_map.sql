{{ id_map(ref('customer_id_changes'), ref('int_person_ids'), 'customer_id') }}
