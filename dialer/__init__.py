"""Whom a campaign calls, how many at once and when it may: values and decisions only, without event loop or network."""
