"""What a trunk's own account needs of PJSIP: credentials, a domain in the Request-URI, registrations, and OPTIONS.

Such an account sends along a Route that is not printed (`;hide`), so that names stand in the URIs and PJSIP looks
nothing up.  Its credentials leave only towards addresses of its trunk (native/credentials.c).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.log import logger
from b2bua.sip.engine.cannot_call import CannotCall
from b2bua.sip.engine.listeners import LegAccount, Listeners
from b2bua.sip.engine.rights import Rights
from b2bua.sip.engine.values import LegProfile
from b2bua.sip.names import MOST
from b2bua.sip.resolver import split_host_port

if TYPE_CHECKING:
    from b2bua.settings import Settings, Trunk

log = logger("trunks")

MOST_ROUTES = MOST
"""Accounts of one trunk and profile, one for each address that its name may have; only those of a name that goes on
changing take turns: PJSIP keeps the memory of every way that an account was led (pjsua_acc_modify)."""
MOST_ACCOUNTS = 192
"Of all trunks; the other slots of PJSUA_MAX_ACC (native/config_site.h) are for listeners and their profiles."
LEAVING = 32.0
"Seconds that taking a registration back may last (64 * T1, RFC 3261 section 17)."
NO_RETRY = 0
"pjsua tries no registration again by itself: `trunk_service` does, at another address where there is one."

Key = tuple[str, str, bool, LegProfile, tuple[object, ...]]
"Trunk, listener, whether its peer is in the local networks, how its legs are, and who we are there."
Registered = Callable[[int, str, int], None]
"Status, its phrase and the seconds granted, of an answer to REGISTER."


class TrunkAccount(LegAccount):
    """An account that goes one way."""

    def __init__(self, listener: str, config: pj.AccountConfig, take: Callable[..., None], route: str) -> None:
        super().__init__(listener, config, take)
        self.route = route

    def lead(self, route: str) -> None:
        """Another way from now on; dialogs that stand keep theirs."""
        self.route = route
        self._config.sipConfig.proxies = _routes(route)
        self.modify(self._config)


class Registrar(pj.Account):
    """Our registration at one carrier."""

    def __init__(self, destination: str, home: tuple[str, str | None], told: Registered) -> None:
        """`home`: realm and target that its trunk had."""
        super().__init__()
        self.destination, self.home, self.told = destination, home, told

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        try:
            self.told(int(prm.code) if not prm.status else 0, str(prm.reason), int(prm.expiration))
        except Exception as error:
            log.error("callback failed", where="onRegState", exc_info=error)


class Carriers:
    """Owner of the trunks' own accounts."""

    def __init__(
        self,
        listeners: Listeners,
        settings: Callable[[], Settings],
        take: Callable[[LegAccount, pj.OnIncomingCallParam], None],
        profiles: Mapping[str, LegProfile],
    ) -> None:
        self._listeners, self._settings, self._take, self._profiles = listeners, settings, take, profiles
        self._accounts: dict[Key, list[TrunkAccount]] = {}
        self._legs: dict[int, TrunkAccount] = {}
        "By number of the leg that goes over it."
        self._retired: list[TrunkAccount] = []
        "Of settings that are no more; each goes with its last leg."
        self._one_left = False
        "A leg of a retired one is gone."
        self._registrars: dict[str, Registrar] = {}
        self._asked: dict[int, Callable[[int], None]] = {}
        self._numbers = 0
        self._count = 0
        "Accounts that there are."
        self._left: asyncio.TimerHandle | None = None
        "When registrations are taken back that need no credentials any more then."
        self._rights = Rights(pj.tandem_credentials, pj.tandem_credentials_clear, time.monotonic)

    def follow(self) -> None:
        """The settings are other ones: credentials go nowhere any more that no trunk has, once the registrations there
        are taken back."""
        trunks, leaving = self._settings().trunks, set()
        for name, registrar in list(self._registrars.items()):
            if name not in trunks or (trunks[name].realm, trunks[name].target) != registrar.home:
                leaving.add((registrar.home[0], split_host_port(registrar.destination)[0]))
                self.unregister(name)
        self._rights.follow(trunks, leaving)
        for key in [key for key in self._accounts if not self._is_of_now(key)]:
            self._retired += self._accounts.pop(key)
        self._one_left = bool(self._retired)
        if self._left is not None:
            self._left.cancel()
            self._left = None
        if leaving:
            self._left = asyncio.get_running_loop().call_later(LEAVING, self.follow)

    def _is_of_now(self, key: Key) -> bool:
        name, listener, _, profile, who = key
        trunk = self._settings().trunks.get(name)
        if trunk is None or not _has_own(trunk):
            return False
        return (listener, profile, who) == (trunk.listener, self._profiles.get(name, LegProfile()), _who(trunk))

    def took(self, leg: int, account: LegAccount) -> None:
        """A leg goes over this account; it is told of as gone (`left`) when the stack has forgotten it."""
        if isinstance(account, TrunkAccount):
            self._legs[leg] = account

    def left(self, leg: int) -> None:
        """It is gone."""
        account = self._legs.pop(leg, None)
        self._one_left = self._one_left or (account is not None and account in self._retired)

    def _let_go(self) -> None:
        """The accounts that nobody needs any more."""
        self._one_left = False
        in_use = set(map(id, self._legs.values()))
        for account in [one for one in self._retired if id(one) not in in_use]:
            self._retired.remove(account)
            self._count -= 1
            account.shutdown()

    @property
    def count(self) -> int:
        """Accounts of trunks that there are."""
        return self._count

    def close(self) -> None:
        """No registration and no account any more."""
        if self._left is not None:
            self._left.cancel()
        for registrar in self._registrars.values():
            registrar.shutdown()
        for accounts in (*self._accounts.values(), self._retired):
            for account in accounts:
                account.shutdown()
        self._retired.clear()
        self._registrars.clear()
        self._accounts.clear()
        self._asked.clear()
        pj.tandem_credentials_clear()

    # -- calls

    def account(self, name: str, destination: str, listener: str, profile: LegProfile, host: str) -> LegAccount:
        """The account for a leg to `host` (an IP address); to an address of a trunk where `name` is one.  Raises
        CannotCall where there is none and none can be made."""
        try:
            return self._account(name, destination, listener, profile, host)
        except pj.Error as error:
            raise CannotCall(f"no account for {destination or host}: {error.reason}", ours=True) from None

    def _account(self, name: str, destination: str, listener: str, profile: LegProfile, host: str) -> LegAccount:
        trunk = self._settings().trunks.get(name) if name else None
        if trunk is None or not _has_own(trunk):
            return self._listeners.account(listener, host, profile)
        local = self._listeners.is_local(listener, host)
        accounts = self._accounts.setdefault((name, listener, local, profile, _who(trunk)), [])
        route = self._route(listener, destination)
        if trunk.password is not None:
            self._rights.grant(name, trunk, host)
        found = next((account for account in accounts if account.route == route), None)
        full = self._count >= MOST_ACCOUNTS
        if found is None and full and not accounts:
            raise CannotCall(f"no account for {destination}: all trunks together have {MOST_ACCOUNTS}", ours=True)
        if found is None and (full or len(accounts) >= MOST_ROUTES):
            found = accounts[0]
            found.lead(route)
        if found is None:
            config = self._listeners.account_config(listener, local, profile)
            found = TrunkAccount(listener, self._own(config, trunk, route), self._take, route)
            self._count += 1
        else:
            accounts.remove(found)
        accounts.append(found)
        found.another_leg()
        return found

    # -- OPTIONS

    def options(self, name: str, destination: str, answered: Callable[[int], None]) -> None:
        """Ask whether an address is there; `answered` gets the final status, 0 where none came.  Never raises."""
        trunk = self._settings().trunks.get(name)
        if trunk is None:
            return
        uri = f"sip:{trunk.domain or destination}{self._transport(trunk.listener)}"
        host, profile = split_host_port(destination)[0], self._profiles.get(name, LegProfile())
        try:
            self.ask(self.account(name, destination, trunk.listener, profile, host), uri, answered)
        except CannotCall as error:
            log.warning("no OPTIONS", trunk=name, address=destination, why=str(error))

    def ask(self, account: LegAccount, uri: str, answered: Callable[[int], None]) -> None:
        """OPTIONS to a URI with an address, with an account."""
        self._numbers = reference = self._numbers % 0x3FFFFFFF + 1
        self._asked[reference] = answered
        try:
            status = pj.tandem_options(account.getId(), uri, reference)
        except pj.Error as error:
            status = error.status
        if status:
            log.debug("no OPTIONS", uri=uri, status=status)
            self._asked.pop(reference, None)

    def drain(self) -> None:
        """Hand on what has come back; called after PJSIP's turn."""
        if self._one_left:
            self._let_go()
        while (found := pj.tandem_probed()) is not None:
            reference, code = found
            answered = self._asked.pop(reference, None)
            if answered is not None:
                answered(code)

    # -- registrations

    def register(self, name: str, destination: str, told: Registered) -> bool:
        """Send REGISTER to an address of a trunk; False where it cannot even be sent.  Answers to it, and to those that
        renew it, are told."""
        trunk = self._settings().trunks.get(name)
        if trunk is None:
            return False  # a reload has just taken it away
        host = split_host_port(destination)[0]
        local = self._listeners.is_local(trunk.listener, host)
        config = self._listeners.account_config(trunk.listener, local, self._profiles.get(name, LegProfile()))
        self._own(config, trunk, self._route(trunk.listener, destination))
        if trunk.password is not None:
            self._rights.grant(name, trunk, host)
        domain = trunk.domain or destination
        here = self._listeners.signalling_address(trunk.listener, host)
        transport = self._transport(trunk.listener)
        config.regConfig.registrarUri = f"sip:{domain}{transport}"
        config.regConfig.registerOnAdd = True
        config.regConfig.timeoutSec = trunk.register_expires
        config.regConfig.retryIntervalSec = NO_RETRY
        config.regConfig.firstRetryIntervalSec = NO_RETRY
        config.sipConfig.contactForced = f"<sip:{trunk.user}@{here}{transport}>"
        known = self._registrars.get(name)
        try:
            if known is not None and known.destination == destination:
                known.told = told
                known.setRegistration(True)
                return True
            self.unregister(name)
            registrar = Registrar(destination, (trunk.realm, trunk.target), told)
            registrar.create(config)
            self._registrars[name] = registrar
        except pj.Error as error:
            log.warning("no REGISTER", trunk=name, address=destination, why=error.reason)
            return False
        return True

    def unregister(self, name: str) -> None:
        """Take our address back."""
        registrar = self._registrars.pop(name, None)
        if registrar is not None:
            registrar.shutdown()  # which sends a REGISTER for no time at all, where one was taken

    # -- the parts

    def _own(self, config: pj.AccountConfig, trunk: Trunk, route: str) -> pj.AccountConfig:
        user, _, place = config.idUri.removeprefix("sip:").partition("@")
        config.idUri = f"sip:{trunk.user or user}@{trunk.domain or place}"
        config.sipConfig.proxies = _routes(route)
        if trunk.password is not None:
            who = trunk.auth_user or trunk.user
            secret = trunk.password.get_secret_value()
            credentials = pj.AuthCredInfoVector()
            credentials.push_back(pj.AuthCredInfo("digest", trunk.realm, who, 0, secret))
            config.sipConfig.authCreds = credentials
        return config

    def _route(self, listener: str, destination: str) -> str:
        return f"sip:{destination}{self._transport(listener)};lr;hide"

    def _transport(self, listener: str) -> str:
        transport = self._settings().listeners[listener].transport
        return "" if transport == "udp" else f";transport={transport}"


def _who(trunk: Trunk) -> tuple[object, ...]:
    return (trunk.user, trunk.auth_user, trunk.password, trunk.realm, trunk.domain)


def _has_own(trunk: Trunk) -> bool:
    return trunk.domain is not None or trunk.password is not None


def _routes(route: str) -> pj.StringVector:
    routes = pj.StringVector()
    routes.push_back(route)
    return routes
