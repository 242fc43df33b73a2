"""Builds the pjsua2 wheel from pjproject and our C; standard library only, because it runs before anything else."""
