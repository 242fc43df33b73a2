"""How pjproject is configured and compiled: one recipe per flavour, and the key under which its results are cached."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .progress import BuildFailed

REVISION = 2
"Counted up by hand when the steps change in a way that the keys below do not see."

NATIVE = Path(__file__).resolve().parents[2] / "native"

# Everything that aconfigure would pick up by itself from the machine is named, so that every machine builds the same.
CONFIGURE = (
    "--enable-epoll",
    "--with-external-srtp",
    "--with-external-gsm",
    "--with-external-speex",
    "--enable-libsamplerate",
    "--disable-resample",  # only the bundled one
    "--disable-sound",
    "--disable-video",
    "--disable-ilbc-codec",
    "--disable-g7221-codec",
    "--disable-libwebrtc",
    "--disable-libwebrtc-aec3",
    "--disable-libyuv",
    "--disable-sdl",
    "--disable-ffmpeg",
    "--disable-v4l2",
    "--disable-openh264",
    "--disable-vpx",
    "--disable-opencore-amr",
    "--disable-silk",
    "--disable-lyra",
    "--disable-upnp",
)

LIBRARIES = ("pjlib", "pjlib-util", "pjnath", "pjmedia", "pjsip")


@dataclass(frozen=True, slots=True)
class Flavour:
    name: str
    cflags: tuple[str, ...]
    "For pjproject and for our C."
    wrapper: tuple[str, ...]
    "For the SWIG wrapper, which is long and only marshals."
    link: tuple[str, ...]
    whole: bool = False
    "Whether pjproject's C is optimised once more as a whole: fewer instructions for each call, a longer first build."


# Hidden visibility: calls inside the extension need no symbol look-up, and no other library's symbol can get between.
_COMMON = ("-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing")

# The objects hold both forms: C for the pass over the whole, and code for the rest (C++) and should that pass fail.
WHOLE = ("-flto", "-ffat-lto-objects")

FLAVOURS = {
    "release": Flavour(
        "release",
        (*_COMMON, "-O3", "-g1", "-DNDEBUG", "-fno-plt", "-ffunction-sections", "-fdata-sections"),
        ("-O2", "-g0"),
        ("-Wl,-O1", "-Wl,--gc-sections"),
        whole=True,
    ),
    "asserts": Flavour("asserts", (*_COMMON, "-O1", "-g1", "-DTANDEM_ASSERTS=1"), ("-O0", "-g0"), ()),
    # Without pjlib's pools in between, every allocation is one that the address sanitizer can see. No assertions: some
    # of PJSIP's stop at what a peer may send, and the code behind them is what production runs.
    "asan": Flavour(
        "asan",
        (
            *_COMMON,
            "-O1",
            "-g1",
            "-fno-omit-frame-pointer",
            "-fsanitize=address",
            "-DNDEBUG",
            "-DPJ_POOL_DEBUG=1",
        ),
        ("-O0", "-g0"),
        ("-fsanitize=address",),
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The interpreter that will import the module."""

    include: Path
    suffix: str
    "Of extension modules."
    tag: str
    "Python and ABI tag, such as cp311-cp311."
    platform: str

    @classmethod
    def of(cls, python: Path) -> Target:
        """Asks the interpreter. Raises BuildFailed if it cannot be run."""
        code = (
            "import json, sys, sysconfig; v = sysconfig.get_config_var;"
            "tag = 'cp%d%d' % sys.version_info[:2];"
            "print(json.dumps([sysconfig.get_path('include'), v('EXT_SUFFIX'),"
            "tag + '-' + tag + (getattr(sys, 'abiflags', '') or ''), sysconfig.get_platform()]))"
        )
        try:
            done = subprocess.run([python, "-c", code], text=True, capture_output=True, check=True)
            include, suffix, tag, platform = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise BuildFailed(f"{python} is not a Python interpreter: {error}") from error
        return cls(Path(include), suffix, tag, platform.replace("-", "_").replace(".", "_"))


def _digest(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else json.dumps(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Keys:
    """Names of what is kept: the compiled tree, the wrapper in it, and the wheel."""

    tree: str
    wrapper: str
    wheel: str

    @classmethod
    def of(cls, source_sha256: str, flavour: Flavour, target: Target) -> Keys:
        ours = sorted(path for path in NATIVE.iterdir() if path.suffix in (".c", ".h", ".i"))
        tree = _digest(REVISION, source_sha256, CONFIGURE, flavour.cflags, NATIVE / "config_site.h")
        interface = NATIVE / "tandem.i"
        wrapper = _digest(tree, asdict(flavour), target.tag, target.suffix, target.platform, interface)
        wheel = _digest(wrapper, [path.name for path in ours], *ours)
        return cls(tree[:16], wrapper[:16], wheel[:16])
