"""Privacy: suppression of people who must not come back."""
