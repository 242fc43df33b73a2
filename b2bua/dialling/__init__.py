"""The dialler at work: takes due contacts, calls them, gives those who answer to agents, and keeps one record each."""
