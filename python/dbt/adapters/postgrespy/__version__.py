"""Version of the adapter plugin, which dbt prints and asks for."""

version = "0.1.0"
