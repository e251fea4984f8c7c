#!/usr/bin/env python3
"""The profile open-kmp a second time: Python with the package cryptography, from docs/formats/open-kmp.md.

A file holds one exchange: behind `== inputs` a line of JSON, then each text behind a line `== name`. The secrets
are made from the seeds in the inputs (SHA-256 of a seed and a counter), every text is written from the inputs
alone, and must be that of the file, octet by octet. The package verifies every signature besides, the other side
derives the slot's keys once more, and every key is unwrapped.

Run: python3 open_kmp_check.py FILE…
Prints a line for each file, and ends with 1 when a text of any differs.
"""
import datetime
import hashlib
import hmac
import json
import re
import sys

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, modes

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:  # Before version 43.
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

PROFILE = "open-kmp-2"
ORDER = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973


class Source:
    """Octets that look random: SHA-256 of a seed and a counter. A request takes whole blocks."""

    def __init__(self, seed):
        self.seed, self.counter = bytes.fromhex(seed), 0

    def take(self, count):
        octets = b""
        while len(octets) < count:
            octets += hashlib.sha256(self.seed + self.counter.to_bytes(8, "big")).digest()
            self.counter += 1
        return octets[:count]

    def secret(self):
        while True:
            number = int.from_bytes(self.take(48), "big")
            if 1 <= number < ORDER:
                return ec.derive_private_key(number, ec.SECP384R1())


def part(octets):
    return len(octets).to_bytes(2, "big") + octets


def framed(purpose, text):
    return part(PROFILE.encode()) + part(purpose) + part(b"") + text.encode()


def confirmation(key, who, own, other, brought, theirs, request):
    """The proof of one party to the other that it derived the keys."""
    message = b"".join(part(piece) for piece in (PROFILE.encode(), b"confirmation", who))
    message += b"".join(part(piece) for piece in (own, other, brought, theirs)) + request
    return upper(hmac.digest(key, message, "sha384"))


def upper(octets):
    return octets.hex().upper()


def moment(seconds):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)).isoformat() + "Z"


def limit(number):
    return "-" if number is None else str(number)


def crc16_arc(octets):
    crc = 0
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def record(tag, **items):
    """A line. Items without a value are left out."""
    items = sorted((name, value) for name, value in items.items() if value is not None)
    line = "".join(f"{piece};" for piece in [tag, "PRF" + PROFILE] + [name + str(value) for name, value in items])
    return f"{line}{crc16_arc(line.encode()):04X}\n"


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def name(record_type, identifier, *keys):
    fingerprint = hashlib.sha384(b"".join(part(spki(key)) for key in keys)).digest()
    return f"open-kmp.{record_type}:{identifier}:{upper(fingerprint[:8])}"


def signature(key, message):
    """ECDSA by its definition, with the number of RFC 6979 and s in its lower half."""
    secret = key.private_numbers().private_value
    digest = int.from_bytes(hashlib.sha384(message).digest(), "big")
    known = secret.to_bytes(48, "big") + (digest % ORDER).to_bytes(48, "big")
    code, value = bytes(48), b"\1" * 48
    for mark in (b"\0", b"\1"):
        code = hmac.digest(code, value + mark + known, "sha384")
        value = hmac.digest(code, value, "sha384")
    while True:
        value = hmac.digest(code, value, "sha384")
        number = int.from_bytes(value, "big")
        if 1 <= number < ORDER:
            break
        code = hmac.digest(code, value + b"\0", "sha384")
        value = hmac.digest(code, value, "sha384")
    r = ec.derive_private_key(number, ec.SECP384R1()).public_key().public_numbers().x % ORDER
    s = pow(number, -1, ORDER) * (digest + r * secret) % ORDER
    return r, min(s, ORDER - s)


def signed(key, text):
    message = framed(b"record", text)
    r, s = signature(key, message)
    key.public_key().verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA384()))
    return text + record("SIG", VAL=upper(r.to_bytes(48, "big") + s.to_bytes(48, "big")))


def authenticated(slot_keys, text):
    return text + record("MAC", VAL=upper(hmac.digest(slot_keys[32:64], framed(b"mac", text), "sha384")))


def derived(pairs, info):
    shared = b"".join(own.exchange(ec.ECDH(), other.public_key()) for own, other in pairs)
    blocks = (hashlib.sha384(i.to_bytes(4, "big") + shared + info).digest() for i in (1, 2))
    return b"".join(blocks)


def check_value(algorithm, key):
    if algorithm == 4:
        return "open-" + upper(hmac.digest(key, b"STS-KCV-OPEN", "sha256")[:3])
    whole = {2: key * 3, 3: key + key[:8]}[algorithm]
    block = Cipher(TripleDES(whole), modes.ECB()).encryptor().update(bytes(8))
    return "open-" + upper(block[:3])


def key_record(number, key, slot_keys):
    octets = bytes.fromhex(key["key"])
    wrapped = keywrap.aes_key_wrap_with_padding(slot_keys[:32], octets)
    assert keywrap.aes_key_unwrap_with_padding(slot_keys[:32], wrapped) == octets
    sub_classes = "".join(str(n) for n in range(8) if key["sub_classes"] >> n & 1)
    return record(
        "KEY", ACT=moment(key["activation"]), BDT=key["base_date"], CLM=limit(key["currency_limit"]),
        CLU=key["cluster"], DKG=f"{key['algorithm']:02}", IUT=moment(key["issued_until"]),
        KCV=check_value(key["algorithm"], octets), KEN=key["expiry"], KRN=key["revision"], KTY=key["type"],
        NAM=key["name"] or None, NUM=number, REG=key["register"], SGC=f"{key['group']:06}",
        SUB=sub_classes or "-", ULM=limit(key["unit_limit"]), WRP=upper(wrapped))


def written(inputs):
    """Every text of the exchange that these inputs give."""
    sources = {whose: Source(seed) for whose, seed in inputs["seeds"].items()}
    module = (sources["module"].secret(), sources["module"].secret())
    centre = (sources["centre"].secret(), sources["centre"].secret())
    signatory = sources["signatory"].secret()
    nonce = sources["agreement"].take(16)
    ephemeral = sources["agreement"].secret()
    created = moment(inputs["created"])
    mark = 1 if inputs["test"] else None
    names = {"KMC": name("KMCID", inputs["centre"], *centre), "SMI": name("SMID", inputs["module"], *module)}
    both = {"CRE": created, "SLT": inputs["slot"], **names}

    info = part(PROFILE.encode()) + part(names["SMI"].encode()) + part(names["KMC"].encode())
    request = inputs["slot"].to_bytes(2, "big") + nonce
    info += request + hashlib.sha384(spki(ephemeral)).digest()
    slot_keys = derived([(ephemeral, centre[0]), (module[0], centre[0])], info)
    assert slot_keys == derived([(centre[0], ephemeral), (centre[0], module[0])], info)

    number = sources["answer"].take(16)
    known = (names["SMI"].encode(), names["KMC"].encode())
    from_module = confirmation(slot_keys[64:], b"KC_2_U", *known, spki(ephemeral), number, request)
    from_centre = confirmation(slot_keys[64:], b"KC_2_V", *known[::-1], number, spki(ephemeral), request)

    asked = upper(sources["request"].take(16))
    load = record(
        "VKL", EXP=moment(inputs["file_until"]), NKY=len(inputs["keys"]), NON=asked, SER=inputs["serial"],
        TXN=inputs["transactions"], **both)
    load += "".join(key_record(n, key, slot_keys) for n, key in enumerate(inputs["keys"], 1))

    return {
        "module enrolment": signed(module[1], record(
            "PKE", AGR=upper(spki(module[0])), CRE=created, FWV=inputs["firmware"], MAK=inputs["maker"],
            MOD=inputs["model"], PID=names["SMI"], SGN=upper(spki(module[1])), TST=mark)),
        "centre enrolment": signed(centre[1], record(
            "PKE", ACT=moment(inputs["centre_from"]), AGR=upper(spki(centre[0])), CRE=created,
            EXP=moment(inputs["centre_until"]), PID=names["KMC"], SGN=upper(spki(centre[1])), TST=mark)),
        "signatory key": signed(signatory, record(
            "PKE", CRE=created, PID=name("SIGID", inputs["signatory"], signatory), SGN=upper(spki(signatory)))),
        "agreement request": signed(module[1], record(
            "KAG", EPH=upper(spki(ephemeral)), NON=upper(nonce), **both)),
        "agreement confirmation": signed(centre[1], record(
            "KAC", CNF=from_centre, NOC=upper(number), NON=upper(nonce), **both)),
        "key-load request": signed(module[1], record(
            "VKR", CNF=from_module, EXP=moment(inputs["request_until"]), NON=asked, **both)),
        "key-load file": signed(centre[1], authenticated(slot_keys, load)),
    }


def difference(path):
    """What differs in a file from what its inputs give; nothing when all agrees."""
    with open(path, encoding="ascii", newline="") as file:
        pieces = re.split("^== (.*)\n", file.read(), flags=re.MULTILINE)
    found = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    expected = written(json.loads(found.pop("inputs")))
    if pieces[0] or list(found) != list(expected):
        return "not these texts, in this order: " + ", ".join(expected)
    for text in expected:
        if found[text] != expected[text]:
            return f"{text} differs, expected:\n{expected[text]}found:\n{found[text]}"
    return None


def main(paths):
    differs = False
    for path in paths:
        problem = difference(path)
        differs |= problem is not None
        print(f"{path}: {problem or 'agrees'}")
    return differs or not paths


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
