{{ overrides_in_force('person', ref('identity_overrides'), ref('generation')) }}
