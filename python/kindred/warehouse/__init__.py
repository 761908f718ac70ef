"""The working database and what runs on it: loading, building, publishing, diagnosis."""
