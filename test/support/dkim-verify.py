"""Verifies the DKIM signatures of a letter on standard input by dkimpy, as it came and after a relay that only passes 7-bit on.

Argument: DNS records as JSON, {"name": "text"}. Prints JSON: {"direct": [bool], "relayed": [bool]}, one for each signature.
"""
import email
import email.policy
import json
import sys

import dkim

records = {name.encode(): text.encode() for name, text in json.loads(sys.argv[1]).items()}
letter = sys.stdin.buffer.read()


def lookup(name, timeout=5):
    return records.get(name.rstrip(b"."))


def verdicts(raw):
    count = raw.count(b"DKIM-Signature:")
    return [bool(dkim.DKIM(raw).verify(idx=i, dnsfunc=lookup)) for i in range(count)]


def verified(raw):
    try:
        return verdicts(raw)
    except dkim.DKIMException:
        return [False] * raw.count(b"DKIM-Signature:")


# 8-bit parts are written anew as quoted-printable or base64; what is 7-bit stays as it is.
seven_bit = email.policy.compat32.clone(cte_type="7bit", linesep="\r\n", max_line_length=0)
relayed = email.message_from_bytes(letter, policy=seven_bit).as_bytes(policy=seven_bit)
print(json.dumps({"direct": verified(letter), "relayed": verified(relayed)}))
