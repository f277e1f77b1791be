"""SLURM from the outside: what a cluster offers, a profile for it, and jobs left behind there."""
