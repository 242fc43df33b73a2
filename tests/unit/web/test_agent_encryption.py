"""SRTP of an agent's phone: what is kept, and keys that others could read are refused."""

from tests.unit.web.server import Api

PHONE = {"extension": "8002", "name": "Second", "contact": "sip:8002@192.0.2.10", "listener": "inside"}


async def test_a_phones_encryption_is_kept_and_keys_in_clear_are_refused(web: Api) -> None:
    """Policy and keys are kept and shown; sdes behind a listener in clear is 409, and nothing else is touched by it."""
    async with web.client() as client:
        refused = await client.post("/v1/agents", json=PHONE | {"srtp": "required"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "srtp_keys")
        made = await client.post("/v1/agents", json=PHONE | {"srtp": "required", "srtp_keys": ["dtls", "dtls"]})
        assert (made.status_code, made.json()["srtp"], made.json()["srtp_keys"]) == (201, "required", ["dtls"])
        agent = web.node.directory().agents["8002"]
        assert (agent.srtp, agent.srtp_keys) == ("required", ("dtls",))
        renamed = await client.patch("/v1/agents/8002", json={"name": "Another"})
        assert renamed.json()["srtp"] == "required"
        assert (await client.patch("/v1/agents/8002", json={"srtp_keys": ["sdes"]})).status_code == 409
        assert (await client.patch("/v1/agents/8002", json={"srtp": "perhaps"})).status_code == 422
        cleared = await client.patch("/v1/agents/8002", json={"srtp": None, "srtp_keys": []})
        assert (cleared.json()["srtp"], cleared.json()["srtp_keys"]) == (None, [])
