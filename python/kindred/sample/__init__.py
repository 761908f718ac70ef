"""Sample data: one hidden population, seen through ten systems that each see it badly."""
