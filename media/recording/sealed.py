"""Recordings at rest that nobody reads without the key: AES-256-GCM in chunks of 16 KiB, so that any place can be read.

    8 octets   TANDEMR1
    8          id of the key: which of several it was
    16         the file's own salt: its key is HKDF-SHA256 of the key and this
    8          octets of sound, all ones while it is being written
    12 + 16    nonce and tag of the above
    then chunks: 12 octets of nonce, up to 16,384 of sound, 16 of tag; the last one may be shorter

A chunk is bound to its file and its number.  One that is written again (the last one grows, the first one gets the
lengths of the WAV file) gets another nonce.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"TANDEMR1"
SUFFIX = ".enc"
CHUNK = 16384
HEAD = 8 + 8 + 16 + 8 + 12 + 16
OPEN = (1 << 64) - 1
_NONCE, _TAG = 12, 16
_STEP = CHUNK + _NONCE + _TAG


class BadSeal(Exception):
    """The file is not what was written, or none of ours."""


class NoKey(BadSeal):
    """No key that we have opens it."""


class Keys:
    """The keys there are; the first one seals, all of them open."""

    def __init__(self, keys: list[bytes]) -> None:
        if not keys:
            raise ValueError("there is no key in it")
        self.first = key_id(keys[0])
        self._keys: Mapping[bytes, bytes] = {key_id(key): key for key in keys}

    def __repr__(self) -> str:
        return f"<{len(self._keys)} keys, {self.first.hex()} seals>"

    @classmethod
    def of_file(cls, path: Path) -> Keys:
        """One key on each line, 64 hexadecimal digits; # begins a comment.  Raises OSError, ValueError."""
        keys = []
        for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(), 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            try:
                key = bytes.fromhex(text)
            except ValueError:
                key = b""
            if len(key) != 32:
                raise ValueError(
                    f"line {number} is not a key of 64 hexadecimal digits (openssl rand -hex 32 makes one)"
                )
            keys.append(key)
        return cls(keys)

    def cipher(self, id: bytes, salt: bytes) -> AESGCM:
        """What opens one file.  Raises NoKey."""
        key = self._keys.get(id)
        if key is None:
            raise NoKey(f"it was sealed with the key {id.hex()}, which is not among ours")
        return AESGCM(HKDF(SHA256(), 32, salt, b"tandem recording").derive(key))


def key_id(key: bytes) -> bytes:
    """Eight octets that name a key and tell nothing of it."""
    return hashlib.sha256(b"tandem recording key" + key).digest()[:8]


class SealedFile:
    """A new file that is sealed as it is written."""

    def __init__(self, path: Path, keys: Keys) -> None:
        """Raises OSError, FileExistsError where there is one of this name."""
        salt = secrets.token_bytes(16)
        self._cipher = keys.cipher(keys.first, salt)
        self._bound = MAGIC + keys.first + salt
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        self._chunk = bytearray()
        self._number = 0
        self._clean = True
        self.size = 0
        _put(self._file, _head(self._cipher, self._bound, OPEN), 0)

    def write(self, data: bytes) -> None:
        """Add to the end; what fills no chunk is written by `flush`.  Raises OSError."""
        self._chunk += data
        self._clean = False
        self.size += len(data)
        while len(self._chunk) >= CHUNK:
            self._seal(self._number, bytes(self._chunk[:CHUNK]))
            del self._chunk[:CHUNK]
            self._number += 1

    def rewrite(self, at: int, data: bytes) -> None:
        """Change what was written, inside the first chunk.  Raises OSError."""
        if not self._number:
            self._chunk[at : at + len(data)] = data
            self._clean = False
            return
        first = bytearray(_open_chunk(self._file, self._cipher, self._bound, 0, CHUNK))
        first[at : at + len(data)] = data
        self._seal(0, bytes(first))

    def flush(self) -> None:
        """All that was written so far can be read from now on, also after a crash.  Raises OSError."""
        if self._chunk and not self._clean:
            self._seal(self._number, bytes(self._chunk))
            self._clean = True

    def close(self) -> None:
        """Write what is left and the length.  Raises OSError; the file is closed all the same."""
        try:
            self.flush()
            _put(self._file, _head(self._cipher, self._bound, self.size), 0)
        finally:
            os.close(self._file)

    def _seal(self, number: int, chunk: bytes) -> None:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, chunk, self._bound + number.to_bytes(8, "big"))
        try:
            _put(self._file, sealed, HEAD + number * _STEP)
        except OSError:
            if number == self._number:  # a disk that is nearly full has taken a part
                os.ftruncate(self._file, HEAD + number * _STEP)
                self._chunk.clear()
                self.size = number * CHUNK
            raise


class Sealed:
    """A sealed file that is read.  `length`: octets of sound."""

    def __init__(self, path: Path, keys: Keys) -> None:
        """Raises OSError, BadSeal."""
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            head = os.pread(self._file, HEAD, 0)
            if len(head) < HEAD or head[:8] != MAGIC:
                raise BadSeal("it is no sealed recording")
            self._bound, length = head[:32], int.from_bytes(head[32:40], "big")
            self._cipher = keys.cipher(head[8:16], head[16:32])
            try:
                self._cipher.decrypt(head[40:52], head[52:], head[:40])
            except InvalidTag:
                raise BadSeal("its head was changed") from None
            self.complete = length != OPEN
            room = os.fstat(self._file).st_size - HEAD
            there = room // _STEP * CHUNK + max(0, room % _STEP - _NONCE - _TAG)
            if self.complete and length != there:
                raise BadSeal(f"it is {'shorter' if there < length else 'longer'} than it was")
            self.length = there
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Sealed:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def read(self, at: int = 0, size: int = -1) -> bytes:
        """So many octets of sound from there; -1: all the rest.  Raises BadSeal, OSError."""
        end = self.length if size < 0 else min(self.length, at + size)
        if at >= end:
            return b""
        first = at // CHUNK
        chunks = [
            _open_chunk(self._file, self._cipher, self._bound, number, min(CHUNK, self.length - number * CHUNK))
            for number in range(first, (end - 1) // CHUNK + 1)
        ]
        return b"".join(chunks)[at - first * CHUNK : end - first * CHUNK]


def mend(path: Path, keys: Keys) -> bytes:
    """Give a file whose writer died its length; returns the beginning of its sound.  Raises OSError, BadSeal.

    A last chunk that was being written is left out.
    """
    with Sealed(path, keys) as found:
        length, first = found.length, b""
        while length:
            last = (length - 1) // CHUNK
            try:
                found.read(last * CHUNK)
                break
            except BadSeal:
                length = last * CHUNK
        found.length = length
        first = found.read(0, CHUNK)
        cipher, bound = found._cipher, found._bound
    with path.open("r+b") as file:
        full, rest = divmod(length, CHUNK)
        file.truncate(HEAD + full * _STEP + (rest + _NONCE + _TAG if rest else 0))
        _put(file.fileno(), _head(cipher, bound, length), 0)
    return first


def put_first(path: Path, keys: Keys, chunk: bytes) -> None:
    """Replace the first chunk of a file by another one of the same length.  Raises OSError, BadSeal."""
    with Sealed(path, keys) as found:
        cipher, bound = found._cipher, found._bound
    nonce = secrets.token_bytes(_NONCE)
    with path.open("r+b") as file:
        _put(file.fileno(), nonce + cipher.encrypt(nonce, chunk, bound + bytes(8)), HEAD)


def _head(cipher: AESGCM, bound: bytes, length: int) -> bytes:
    nonce, plain = secrets.token_bytes(_NONCE), bound + length.to_bytes(8, "big")
    return plain + nonce + cipher.encrypt(nonce, b"", plain)


def _open_chunk(file: int, cipher: AESGCM, bound: bytes, number: int, size: int) -> bytes:
    sealed = os.pread(file, _NONCE + size + _TAG, HEAD + number * _STEP)
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound + struct.pack(">Q", number))
    except (InvalidTag, ValueError):
        raise BadSeal(f"its chunk {number} was changed, or is not whole") from None


def _put(file: int, data: bytes, at: int) -> None:
    """All of it, or OSError."""
    done = 0
    while done < len(data):
        done += os.pwrite(file, data[done:], at + done)
