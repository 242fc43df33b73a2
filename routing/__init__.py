"""Who should take this call: values and decisions only, without event loop, storage, clock or network."""
