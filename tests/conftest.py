"""What holds for every test."""

from hypothesis import settings

# The machine is shared, so how long an example takes says nothing; what failed must be repeatable from the log.
settings.register_profile("tandem", deadline=None, print_blob=True)
settings.load_profile("tandem")
