"""Real peers for end-to-end tests: SIPp, scriptable SIP phones, sound, PJSIP, baresip and the server itself.

Nothing here is a mock: every peer is a socket or a process of its own, and a test waits for facts, never for seconds.
"""
