"""Transports and accounts: where we listen, and what each side is told of our addresses.

A listener is one transport with up to two faces: the advertised one (behind NAT, or towards the carrier) and the
plain one for its
`local_networks`.  Each face, together with a `LegProfile`, is one pjsua account: it fixes Contact, Via binding, SDP
address, SRTP, 100rel and session timers of the dialogs made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network

import pjsua2 as pj

from b2bua.settings import Listener, Media
from b2bua.sip.engine.values import Keying, LegProfile

TRANSPORTS = {
    ("udp", 4): pj.PJSIP_TRANSPORT_UDP,
    ("tcp", 4): pj.PJSIP_TRANSPORT_TCP,
    ("udp", 6): pj.PJSIP_TRANSPORT_UDP6,
    ("tcp", 6): pj.PJSIP_TRANSPORT_TCP6,
}
PRACK = {
    "off": pj.PJSUA_100REL_NOT_USED,
    "optional": pj.PJSUA_100REL_OPTIONAL,
    "required": pj.PJSUA_100REL_MANDATORY,
}
TIMER = {
    "off": pj.PJSUA_SIP_TIMER_INACTIVE,
    "optional": pj.PJSUA_SIP_TIMER_OPTIONAL,
    "required": pj.PJSUA_SIP_TIMER_REQUIRED,
}
SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}
NO_KEEP_ALIVE = 0
KEYING = {"sdes": pj.PJMEDIA_SRTP_KEYING_SDES, "dtls": pj.PJMEDIA_SRTP_KEYING_DTLS_SRTP}
OFFERED = {"sdes": 1, "dtls": 2}
"TANDEM_KEYS_SDES and TANDEM_KEYS_DTLS (native/tandem.h)."


class CannotListen(Exception):
    """A listener's address cannot be bound: another program has it, or it is not this machine's."""

    def __init__(self, name: str, listener: Listener, why: str) -> None:
        where = f"{listener.transport} {listener.address}:{listener.port}"
        super().__init__(f"listeners.{name}: {where} cannot be bound: {why}")


class LegAccount(pj.Account):
    """One face of a listener; an INVITE that comes in on it goes to the engine."""

    def __init__(
        self, listener: str, config: pj.AccountConfig, take: Callable[[LegAccount, pj.OnIncomingCallParam], None]
    ) -> None:
        super().__init__()
        self.listener = listener
        self._config, self._take = config, take
        self.has_ports = True
        "Whether the leg that is about to be made has a pair of RTP ports."
        self.create(config)

    def another_leg(self) -> None:
        """A leg is about to be made with this account: a pair of ports is drawn for it."""
        self.has_ports = pj.tandem_ports_draw(self.getId()) == 0

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        self._take(self, prm)


class Listeners:
    """Owner of the transports and accounts of one endpoint."""

    def __init__(
        self,
        endpoint: pj.Endpoint,
        settings: Mapping[str, Listener],
        media: Media,
        take: Callable[[LegAccount, pj.OnIncomingCallParam], None],
    ) -> None:
        self._endpoint, self._settings, self._media, self._take = endpoint, settings, media, take
        self._transports: dict[str, int] = {}
        self._accounts: dict[tuple[str, bool, LegProfile], LegAccount] = {}
        self._by_address: dict[str, str] = {}
        self.is_local = lru_cache(maxsize=4096)(self._in_local_networks)

    def open(self) -> None:
        """Bind every listener; raises CannotListen."""
        pj.tandem_ports_open(self._media.rtp_port_min, self._media.rtp_port_max)
        for name, listener in self._settings.items():
            self._transports[name] = self._listen_tls(name) if listener.transport == "tls" else self._listen(name)
            self._by_address[f"{listener.transport} {listener.address}:{listener.port}"] = name
            self._by_address.setdefault(f"{listener.transport} *:{listener.port}", name)
        for name in self._settings:
            face = self._settings[name]
            self.account(name, "", LegProfile(srtp=face.srtp, srtp_keys=tuple(face.srtp_keys)))

    def close(self) -> None:
        for account in self._accounts.values():
            account.shutdown()
        self._accounts.clear()
        pj.tandem_ports_close()

    def reload_certificate(self, name: str) -> int:
        """Read the files of a TLS listener again; 0, or PJSIP's status where it is closed now."""
        return pj.tandem_tls_reload(self._transports[name])

    def _listen(self, name: str) -> int:
        listener = self._settings[name]
        config = pj.TransportConfig()
        config.port = listener.port
        config.boundAddress = listener.address
        config.publicAddress = listener.advertised_address or ""
        if listener.dscp:
            config.qosParams.flags, config.qosParams.dscp_val = pj.PJ_QOS_PARAM_HAS_DSCP, listener.dscp
        try:
            kind = TRANSPORTS[listener.transport, ip_address(listener.address).version]
            return self._endpoint.transportCreate(kind, config)
        except pj.Error as error:
            raise CannotListen(name, listener, error.reason) from None

    def _listen_tls(self, name: str) -> int:
        listener = self._settings[name]
        number = pj.tandem_tls_open(
            listener.address,
            listener.port,
            listener.advertised_address or "",
            str(listener.tls_certificate),
            str(listener.tls_key),
            str(listener.tls_ca or ""),
            listener.tls_verify_client,
            listener.dscp,
        )
        if number < 0:
            raise CannotListen(name, listener, str(self._endpoint.utilStrError(-number)))
        return number

    def at(self, transport: str, address: str, port: int) -> str | None:
        """The listener a packet came in on: its bound address, or the port where it is bound to all addresses."""
        return self._by_address.get(f"{transport} {address}:{port}") or self._by_address.get(f"{transport} *:{port}")

    def account(self, listener: str, peer: str, profile: LegProfile) -> LegAccount:
        """The account for a leg to or from `peer` (an IP address, "" for anybody) on this listener."""
        key = (listener, self.is_local(listener, peer), profile)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = LegAccount(listener, self.account_config(*key), self._take)
        account.another_leg()
        return account

    def signalling_address(self, listener: str, peer: str) -> str:
        """host:port that `peer` is told, for Contact and From."""
        settings = self._settings[listener]
        plain = self.is_local(listener, peer) or settings.advertised_address is None
        host = settings.address if plain else str(settings.advertised_address)
        port = settings.port if plain else settings.advertised_port or settings.port
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _in_local_networks(self, listener: str, peer: str) -> bool:
        if not peer:
            return False
        address = ip_address(peer)
        return any(address in ip_network(net) for net in self._settings[listener].local_networks)

    def account_config(self, listener: str, local: bool, profile: LegProfile) -> pj.AccountConfig:
        """What pjsua is told for such legs; `local`: of peers in `local_networks`."""
        settings = self._settings[listener]
        peer = str(ip_network(settings.local_networks[0])[0]) if local else ""
        address = self.signalling_address(listener, peer)
        suffix = "" if settings.transport == "udp" else f";transport={settings.transport}"
        config = pj.AccountConfig()
        config.idUri = f"sip:tandem@{address}"
        config.regConfig.registerOnAdd = False
        sip = config.sipConfig
        sip.transportId = self._transports[listener]
        sip.contactForced = f"<sip:tandem@{address}{suffix}>"
        call = config.callConfig
        call.prackUse = PRACK[profile.rel100]
        call.timerUse = TIMER[profile.session_timer]
        call.timerMinSESec = profile.min_se
        call.timerSessExpiresSec = profile.session_expires
        nat = config.natConfig
        nat.contactRewriteUse = nat.viaRewriteUse = nat.sdpNatRewriteUse = nat.sipOutboundUse = 0
        nat.iceEnabled = nat.turnEnabled = False
        nat.udpKaIntervalSec = NO_KEEP_ALIVE
        media = config.mediaConfig
        media.lockCodecEnabled = False  # else: one more re-INVITE for every answer with several codecs
        media.streamKaEnabled = False
        media.rtcpMuxEnabled = False
        media.srtpUse = SRTP[profile.srtp]
        media.srtpSecureSignaling = 1 if needs_tls(settings, profile) else 0
        keyings = pj.IntVector()
        for keying in keys_of(profile):
            keyings.push_back(KEYING[keying])
        media.srtpOpt.keyings = keyings
        version = ip_address(settings.address).version
        media.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY if version == 6 else pj.PJSUA_IPV6_DISABLED
        rtp = media.transportConfig
        rtp.port = self._media.rtp_port_min
        rtp.portRange = self._media.rtp_port_max - self._media.rtp_port_min
        if self._media.dscp:
            rtp.qosParams.flags, rtp.qosParams.dscp_val = pj.PJ_QOS_PARAM_HAS_DSCP, self._media.dscp
        rtp.boundAddress = settings.media_address or settings.address
        rtp.publicAddress = "" if local else settings.advertised_media_address or ""
        return config


def keys_of(profile: LegProfile) -> tuple[Keying, ...]:
    """What PJSIP looks for in an offer.  Without SRTP too it needs a way, and takes a plain offer only by SDES."""
    return ("sdes",) if profile.srtp == "off" else profile.srtp_keys


def limit_offer(packet: int, profile: LegProfile) -> None:
    """Refuse what the account of such legs could not answer in the INVITE that is being given to it."""
    pj.tandem_offer_keys(packet, SRTP[profile.srtp], sum(OFFERED[key] for key in keys_of(profile)))


def needs_tls(listener: Listener, profile: LegProfile) -> bool:
    """Whether keys would stand in an SDP that others can read: then there is no SRTP but over TLS."""
    return profile.srtp != "off" and listener.unread(profile.srtp_keys) != profile.srtp_keys
