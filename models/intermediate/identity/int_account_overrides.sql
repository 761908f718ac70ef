{{ overrides_in_force('account', ref('identity_overrides'), ref('generation')) }}
