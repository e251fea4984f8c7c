#!/usr/bin/env python3
"""Checks `open-kmp-1.txt` with another implementation of everything: Python with the package cryptography.

Makes the secrets of the fixed exchange again (SHA-256 of a seed and a counter), verifies every checksum and
signature, derives the slot's keys on both sides, checks both codes, and unwraps the keys of the file.
Run: python3 open_kmp_check.py open-kmp-1.txt
"""
import hashlib
import hmac
import sys

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

PROFILE = "open-kmp-1"
ORDER = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)


def source(seed):
    counter = 0
    while True:
        yield hashlib.sha256(bytes([seed]) + counter.to_bytes(8, "big")).digest()
        counter += 1


def take(blocks, count):
    octets = b""
    while len(octets) < count:
        octets += next(blocks)
    return octets[:count]


def secret(blocks):
    return ec.derive_private_key(int.from_bytes(take(blocks, 48), "big"), ec.SECP384R1())


def part(octets):
    return len(octets).to_bytes(2, "big") + octets


def framed(purpose, octets):
    return part(PROFILE.encode()) + part(purpose) + part(b"") + octets


def crc16_arc(octets):
    crc = 0
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def records(text):
    found = []
    for line in text.splitlines(keepends=True):
        body, crc = line[:-5], line[-5:-1]
        assert line.endswith("\n") and f"{crc16_arc(body.encode()):04X}" == crc, line
        tag, profile, *items = body[:-1].split(";")
        assert profile == "PRF" + PROFILE
        found.append((tag, {item[:3]: item[3:] for item in items}))
        assert [item[:3] for item in items] == sorted(item[:3] for item in items)
    return found


def before(text, tag):
    return text[:text.index(f"\n{tag};") + 1].encode()


def verify(key, text):
    value = bytes.fromhex(records(text)[-1][1]["VAL"])
    r, s = int.from_bytes(value[:48], "big"), int.from_bytes(value[48:], "big")
    assert s <= ORDER // 2
    signature = utils.encode_dss_signature(r, s)
    key.public_key().verify(signature, framed(b"record", before(text, "SIG")), ec.ECDSA(hashes.SHA384()))


texts = {}
for piece in open(sys.argv[1], encoding="ascii").read().split("== ")[1:]:
    name, text = piece.split("\n", 1)
    texts[name] = text

one, two = source(1), source(2)
module = (secret(one), secret(one))
centre = (secret(two), secret(two))
signatory = secret(source(3))
four = source(4)
nonce = take(four, 16)
ephemeral = secret(four)


def name(record_type, identifier, *keys):
    fingerprint = hashlib.sha384(b"".join(part(spki(key)) for key in keys)).hexdigest().upper()
    return f"open-kmp.{record_type}:{identifier}:{fingerprint[:16]}"


module_name = name("SMID", "module-7", *module)
centre_name = name("KMCID", "centre-1", *centre)
for text, party, keys in [
    ("module enrolment", module_name, module),
    ("centre enrolment", centre_name, centre),
    ("signatory key", name("SIGID", "owner.of-group", signatory), (signatory,)),
]:
    items = records(texts[text])[0][1]
    assert items["PID"] == party and items["SGN"] == spki(keys[-1]).hex().upper()
    verify(keys[-1], texts[text])
verify(module[1], texts["agreement request"])
verify(centre[1], texts["agreement confirmation"])
verify(module[1], texts["key-load request"])
verify(centre[1], texts["key-load file"])

items = records(texts["agreement request"])[0][1]
assert items["NON"] == nonce.hex().upper() and items["EPH"] == spki(ephemeral).hex().upper()
info = part(PROFILE.encode()) + part(module_name.encode()) + part(centre_name.encode())
info += int(items["SLT"]).to_bytes(2, "big") + nonce + hashlib.sha384(spki(ephemeral)).digest()


def derived(pairs):
    shared = b"".join(own.exchange(ec.ECDH(), other.public_key()) for own, other in pairs)
    blocks = (hashlib.sha384(i.to_bytes(4, "big") + shared + info).digest() for i in (1, 2))
    return b"".join(blocks)[:64]


keys = derived([(ephemeral, centre[0]), (module[0], centre[0])])
assert keys == derived([(centre[0], ephemeral), (centre[0], module[0])])
for text in ["agreement confirmation", "key-load file"]:
    code = hmac.new(keys[32:], framed(b"mac", before(texts[text], "MAC")), hashlib.sha384)
    value = [items for tag, items in records(texts[text]) if tag == "MAC"][0]["VAL"]
    assert code.hexdigest().upper() == value, text

loaded = [items for tag, items in records(texts["key-load file"]) if tag == "KEY"]
conformance = "ABABABABABABABAB949494949494949401234567"
for items, length in zip(loaded, (8, 20), strict=True):
    key = keywrap.aes_key_unwrap_with_padding(keys[:32], bytes.fromhex(items["WRP"]))
    assert key.hex().upper() == conformance[:2 * length]
print("all texts agree:", ", ".join(texts))
