"""What must be true between keys, and between the configuration and this machine."""

import os
import ssl
import wave
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

from .law import law_mistakes
from .model import Settings
from .sections import Media
from .sip import Listener, Trunk
from .sound import Keying
from .trunk_checks import group_mistakes, same_source, trunk_mistakes

EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
MOST_LISTENERS = 8
"PJSIP's own limit (pjsua's table of transports)."
PORTS_PER_CALL = 4
"RTP and RTCP, on two legs."

Finding = tuple[str, str]
"Dotted key, and what is wrong."


def check(settings: Settings, listener_names: frozenset[str]) -> Iterator[Finding]:
    """Every mistake between keys. `listener_names` also has the listeners that are wrong in themselves."""
    for name, listener in settings.listeners.items():
        for key, what in _listener(listener):
            yield f"listeners.{name}.{key}", what
    if len(settings.listeners) > MOST_LISTENERS:
        yield "listeners", f"are {len(settings.listeners)}; the SIP stack takes {MOST_LISTENERS} at most"
    yield from _same_socket(settings.listeners)
    for name, trunk in settings.trunks.items():
        for key, what in _trunk(trunk, settings.listeners, listener_names):
            yield f"trunks.{name}.{key}", what
    yield from group_mistakes(settings)
    yield from same_source(settings.trunks)
    yield from _phones(settings, listener_names)
    yield from _media(settings.media, settings.node.max_calls)
    if settings.recording.announcement is not None:
        yield from _sound("recording.announcement", settings.recording.announcement)
    if settings.recording.key_file is not None:
        yield from _recording_keys("recording.key_file", settings.recording.key_file)
    if settings.recording.format == "opus":
        yield from _opus("recording.format")
    yield from _certificate("api.", settings.api.tls_certificate, settings.api.tls_key)
    yield from _storage_url(settings)
    yield from law_mistakes(settings.law_profiles, settings.law_regions)


def advice(settings: Settings, ephemeral: Path = EPHEMERAL) -> list[Finding]:
    """What works, but probably not as meant: for `check-config` and the log at start."""
    found: list[Finding] = []
    sides = {listener.side for listener in settings.listeners.values()}
    if "inside" not in sides:
        found.append(("listeners", "none is inside: no agent's phone can be reached"))
    if not settings.trunks:
        found.append(("trunks", "has no entry: every call from outside is refused"))
    if settings.trunks and settings.calls.default_route is None:
        found.append(("calls.default_route", "is not set: calls whose caller's data is not found are refused"))
    for name, listener in settings.listeners.items():
        advertised = listener.advertised_address or listener.advertised_media_address
        if listener.local_networks and advertised is None:
            found.append((f"listeners.{name}.local_networks", "has no effect without an advertised address"))
    for section, host, secure in (
        ("api", settings.api.address, settings.api.tls_certificate is not None),
        ("events", settings.events.address, False),
    ):
        if not ip_address(host).is_loopback and not secure:
            found.append((f"{section}.address", f"{host} is not loopback, and what goes over it is not encrypted"))
    return found


def _listener(listener: Listener) -> Iterator[Finding]:
    bound = ip_address(listener.address)
    if bound.is_unspecified and listener.advertised_address is None:
        yield "advertised_address", f"is needed, because {bound} is no address that a peer can be told"
    if bound.is_unspecified and listener.media_address is None:
        yield "media_address", f"is needed, because {bound} is no address that SDP can carry"
    if listener.media_address is not None and ip_address(listener.media_address).is_unspecified:
        yield "media_address", f"must be one address of this machine, not {listener.media_address}"
    media = ip_address(listener.media_address or listener.address)
    if media.version != bound.version:
        yield "media_address", f"is IPv{media.version}, but the listener's address is IPv{bound.version}"
    for key, told, ours in (
        ("advertised_address", listener.advertised_address, bound),
        ("advertised_media_address", listener.advertised_media_address, media),
    ):
        told_version = _version(told)
        if told_version and told_version != ours.version:
            yield key, f"is IPv{told_version}, but what it stands for, {ours}, is IPv{ours.version}"
    if listener.advertised_port is not None and listener.advertised_address is None:
        yield "advertised_port", "needs advertised_address"
    for cidr in listener.local_networks:
        if ip_network(cidr).version != bound.version:
            yield "local_networks", f"{cidr} is not IPv{bound.version} as the listener's address is"
    yield from _listener_tls(listener)
    yield from _keys(listener, listener.srtp, listener.srtp_keys)


def _keys(listener: Listener, srtp: str, keys: Sequence[Keying]) -> Iterator[Finding]:
    if srtp != "off" and listener.unread(keys) != tuple(keys):
        yield (
            "srtp_keys",
            f'has "sdes": keys would go over {listener.transport} for everybody to read. Use transport "tls", or'
            ' srtp_keys = ["dtls"], or allow it with srtp_plain_signalling of the listener',
        )


def _listener_tls(listener: Listener) -> Iterator[Finding]:
    if listener.transport != "tls":
        for key in ("tls_certificate", "tls_key", "tls_ca"):
            if getattr(listener, key) is not None:
                yield key, f'is for transport "tls"; this listener has "{listener.transport}"'
        if listener.tls_verify_client:
            yield "tls_verify_client", f'is for transport "tls"; this listener has "{listener.transport}"'
        return
    for key in ("tls_certificate", "tls_key"):
        if getattr(listener, key) is None:
            yield key, 'is needed for transport "tls"'
    if listener.tls_verify_client and listener.tls_ca is None:
        yield "tls_ca", "is needed to verify clients"
    if listener.tls_certificate is not None and listener.tls_key is not None:
        yield from _certificate("", listener.tls_certificate, listener.tls_key)
    if listener.tls_ca is not None:
        try:
            ssl.create_default_context(cafile=listener.tls_ca)
        except OSError as error:
            yield "tls_ca", f"{listener.tls_ca} {_why(error, 'holds no certificate in PEM form')}"


def _trunk(trunk: Trunk, listeners: dict[str, Listener], names: frozenset[str]) -> Iterator[Finding]:
    listener = listeners.get(trunk.listener)
    if trunk.listener not in names and listener is None:
        there = f"; there are {', '.join(sorted(names | set(listeners)))}" if names or listeners else ""
        yield "listener", f'no listener is called "{trunk.listener}"{there}'
    if listener is not None:
        if listener.side != "outside":
            yield "listener", f'"{trunk.listener}" is an inside listener; trunks call in on an outside one'
        version = ip_address(listener.address).version
        for cidr in trunk.networks:
            if ip_network(cidr).version != version:
                yield "addresses", f'{cidr} cannot reach the listener "{trunk.listener}", which is IPv{version}'
        if trunk.srtp is not None or trunk.srtp_keys is not None:
            yield from _keys(listener, trunk.srtp or listener.srtp, trunk.srtp_keys or listener.srtp_keys)
    yield from _digits(trunk)
    yield from trunk_mistakes(trunk, listener)
    if trunk.session_expires < trunk.min_se:
        yield "session_expires", f"must not be less than min_se ({trunk.min_se})"


def _phones(settings: Settings, names: frozenset[str]) -> Iterator[Finding]:
    phones = settings.phones
    for name in phones.listeners:
        if name not in names and name not in settings.listeners:
            yield "phones.listeners", f'no listener is called "{name}"'
    if phones.min_expires > phones.max_expires:
        yield "phones.max_expires", f"must not be less than min_expires ({phones.min_expires})"
    if phones.trunk is not None and phones.trunk not in settings.trunks and phones.trunk not in settings.trunk_groups:
        yield "phones.trunk", f'no trunk and no group of trunks is called "{phones.trunk}"'


def _digits(trunk: Trunk) -> Iterator[Finding]:
    width = trunk.plan.fixed_width + (trunk.access_id_width or 1)
    if width > trunk.max_digits:
        check_digit = 0 if trunk.check_digit == "none" else 1
        access = trunk.access_id_width or "at least 1"
        yield (
            "sequence_width",
            f"makes numbers too long: prefix {len(trunk.prefix)} + access ID {access} + sequence"
            f" {trunk.sequence_width} + check digit {check_digit} = {width} digits, and the trunk carries"
            f" {trunk.max_digits}",
        )


def _same_socket(listeners: dict[str, Listener]) -> Iterator[Finding]:
    taken: list[tuple[str, Listener]] = []
    for name, listener in listeners.items():
        for other_name, other in taken:
            if _stream(listener) != _stream(other) or listener.port != other.port:
                continue
            ours, theirs = ip_address(listener.address), ip_address(other.address)
            wildcard = ours.version == theirs.version and (ours.is_unspecified or theirs.is_unspecified)
            if ours == theirs or wildcard:
                yield (
                    f"listeners.{name}.port",
                    f"{listener.address} port {listener.port} ({listener.transport})"
                    f' is also the listener "{other_name}"',
                )
        taken.append((name, listener))


def _media(media: Media, max_calls: int, ephemeral: Path = EPHEMERAL) -> Iterator[Finding]:
    if media.rtp_port_min % 2:
        yield "media.rtp_port_min", f"must be even (RFC 3550 section 11), not {media.rtp_port_min}"
    room = media.rtp_port_max - media.rtp_port_min + 1
    if room <= 0:
        yield "media.rtp_port_max", "must be above rtp_port_min"
    elif room < max_calls * PORTS_PER_CALL:
        calls = room // PORTS_PER_CALL
        yield "media.rtp_port_max", f"the range has ports for {calls} calls, but node.max_calls is {max_calls}"
    system = ephemeral_ports(ephemeral)
    if system and room > 0 and media.rtp_port_max >= system[0] and media.rtp_port_min <= system[1]:
        yield (
            "media.rtp_port_max",
            f"the range overlaps the system's ports for outgoing connections ({system[0]}-{system[1]}): stay below"
            f" {system[0]}, or change net.ipv4.ip_local_port_range",
        )
    if media.music is not None:
        yield from _sound("media.music", media.music)


def ephemeral_ports(file: Path = EPHEMERAL) -> tuple[int, int] | None:
    """First and last port that the system gives to outgoing connections; None where it does not say."""
    try:
        first, last = map(int, file.read_text().split())
    except (OSError, ValueError):
        return None
    return first, last


def _sound(key: str, file: Path) -> Iterator[Finding]:
    try:
        with wave.open(str(file)) as sound:
            form = (sound.getnchannels(), sound.getsampwidth())
    except (OSError, EOFError, wave.Error) as error:
        yield key, f"{file} {_why(error, 'is no WAV file')}"
        return
    if form != (1, 2):
        yield key, f"{file} must be mono with 16 bits, not {form[0]} channels with {8 * form[1]} bits"


def _certificate(prefix: str, certificate: Path | None, key: Path | None) -> Iterator[Finding]:
    if (certificate is None) != (key is None):
        missing = "tls_key" if key is None else "tls_certificate"
        yield f"{prefix}{missing}", "is needed beside the other of the pair"
    if certificate is None or key is None:
        return
    for name, file in (("tls_certificate", certificate), ("tls_key", key)):
        if not os.access(file, os.R_OK):
            yield f"{prefix}{name}", f"{file} {'cannot be read' if file.exists() else 'does not exist'}"
            return
    try:
        # An encrypted key would make OpenSSL ask at the terminal; an empty password makes it fail instead.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        yield f"{prefix}tls_certificate", f"{certificate} and {key} {_why(error, 'are no matching pair in PEM form')}"


def _recording_keys(key: str, file: Path) -> Iterator[Finding]:
    from media.recording import Keys  # numpy with it, which no other setting needs: commands start without

    try:
        Keys.of_file(file)
    except OSError as error:
        yield key, f"{file} {_why(error, 'cannot be read')}"
    except ValueError as error:
        yield key, f"{file}: {error}"


def _opus(key: str) -> Iterator[Finding]:
    from media.recording.opus import NoOpus, library  # as above

    try:
        library()
    except NoOpus as error:
        yield key, str(error)


def _storage_url(settings: Settings) -> Iterator[Finding]:
    url = settings.storage.url
    if url is None:
        return
    scheme, _, rest = url.get_secret_value().partition("://")
    if scheme == "sqlite":
        if not rest.startswith("/") or len(rest) < 2:
            yield "storage.url", "must name a file: sqlite:///relative/path or sqlite:////absolute/path"
    elif scheme in ("postgresql", "postgresql+asyncpg"):
        if "/" not in rest or not rest.rpartition("/")[2].partition("?")[0]:
            yield "storage.url", "must name a database: postgresql://user:password@host/database"
    else:
        yield "storage.url", "must begin with sqlite:/// or postgresql://"


def _version(host: str | None) -> int:
    try:
        return ip_address(host or "").version
    except ValueError:
        return 0  # a host name has none


def _stream(listener: Listener) -> bool:
    return listener.transport != "udp"


def _why(error: Exception, otherwise: str) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "cannot be read"
    return otherwise
