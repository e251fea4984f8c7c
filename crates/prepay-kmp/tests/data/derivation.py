#!/usr/bin/env python3
"""The key derivation of the profile open-kmp, calculated a second time with Python's hashlib alone.

Prints the value that the test of `src/open_kmp/derivation.rs` expects. SP 800-56C revision 2, one-step key
derivation with SHA-384: K(i) = H(i as four octets | shared secret | info), 96 octets: K(1) | K(2).
"""
import hashlib

shared = bytes(range(96))
info = b"open-kmp test info"
keys = b"".join(hashlib.sha384(i.to_bytes(4, "big") + shared + info).digest() for i in (1, 2))
print(keys.hex().upper())
