"""The commands of docs/media-security.md do what the page says of them."""

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

from tests.e2e.conftest import StartServer
from tests.e2e.test_certificates import put
from tests.peers.certificates import Authority
from tests.peers.server import Server, command_env
from tests.peers.waiting import eventually_true

PAGE = Path(__file__).parents[2] / "docs" / "media-security.md"


def commands() -> list[str]:
    """What stands behind a prompt, in order."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


async def run(command: str, server: Server, folder: Path) -> str:
    """What a shell prints for it on this machine; it must not fail."""
    host, port = server.inside
    here = command.replace("192.0.2.10:5061", f"{host}:{port}").replace("/etc/tandem", str(folder))
    ours = {**command_env(server.file), "TANDEM_API_TOKEN": server.api.token, "PATH": f"{folder}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f"set -euo pipefail; {here}"),
        cwd=folder,
        env={**os.environ, **server.env, **ours},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, f"{here}\n{said.decode()}"
    return said.decode()


async def test_the_pages_commands_run_as_written(
    start_server: StartServer, authority: Authority, tmp_path: Path
) -> None:
    """Policies of agents, a new certificate put in place, and the look at when it ends."""
    server = await start_server({"listeners.inside": put(authority.issue("old"), tmp_path)})
    for extension in ("1001", "1002"):
        await server.api.add_agent(f"sip:{extension}@127.0.0.1", extension)
    authority.issue("new").rename(tmp_path / "new.pem")
    (authority.folder / "new.key").rename(tmp_path / "new.key")
    program = tmp_path / "tandem"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m b2bua "$@"\n')
    program.chmod(0o755)
    *policies, renew, look = commands()
    wanted = [("1001", "required", ["dtls"]), ("1002", "off", []), ("1002", None, [])]
    for command, (extension, srtp, keys) in zip(policies, wanted, strict=True):
        await run(command, server, tmp_path)
        agent = await server.api.get(f"/v1/agents/{extension}")
        assert (agent["srtp"], agent["srtp_keys"]) == (srtp, keys), command
    assert (await run(look, server, tmp_path)).startswith("notAfter=")
    await run(renew, server, tmp_path)
    taken = "new connections get the changed certificate"

    async def is_taken() -> bool:
        return taken in server.log()

    await eventually_true(is_taken, "the new pair is taken over")
    assert (await run(look, server, tmp_path)).startswith("notAfter=")
