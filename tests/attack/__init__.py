"""What strangers send: torture messages, mutations, floods. Used by end-to-end tests and by `scripts/attack` alike."""
