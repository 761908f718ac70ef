"""Identity resolution, for people and companies: records in; links, clusters and ids out."""
