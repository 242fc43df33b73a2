"""What a carrier's numbers sound like, made by espeak-ng and sox: raw A-law files that SIPp can play."""

import subprocess
from pathlib import Path

SAID = {
    "person": "Hello?",
    "machine": "Hello. You have reached the voice mail of the Green family. Nobody can come to the telephone at the "
    "moment. Please leave your name and your number after the tone, and we will call you back.",
}
SIT = ((0.274, 913.8), (0.274, 1370.6), (0.38, 1776.7))
"Seconds and Hz of the special information tone `intercept`: the number is nobody's (ITU-T E.180, Telcordia SR-4163)."
A_LAW = ("-t", "raw", "-r", "8000", "-c", "1", "-e", "a-law")


def record(folder: Path) -> None:
    """`person.al`, `machine.al` and `sit.al` in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in SAID.items():
        spoken = subprocess.run(
            ["espeak-ng", "-v", "en-gb", "-s", "150", "-a", "70", "--stdout", text], check=True, capture_output=True
        )
        # people breathe in before they speak, and then they wait for what is said to them
        command = ["sox", "-q", "-t", "wav", "-", *A_LAW, str(folder / f"{name}.al"), "pad", "0.3", "8"]
        subprocess.run(command, input=spoken.stdout, check=True, stderr=subprocess.DEVNULL)
    tones = [part for seconds, hz in SIT for part in ("synth", f"{seconds}", "sine", f"{hz}", ":")][:-1]
    subprocess.run(
        ["sox", "-q", "-n", *A_LAW, str(folder / "sit.al"), *tones, "gain", "-9", "pad", "0", "5"], check=True
    )
