"""Puts keys and certificates on SoftHSM tokens, as a process of its own: no test process loads a module.

Reads one JSON document from stdin, binary values in hex:
{"module", "tokens": [{"label", "pin", "keys": [{"id", "label", "asks_again", "pkcs1"}],
                       "certificates": [{"id", "label", "der"}]}]}
"""

import json
import sys

import pkcs11
from pkcs11 import Attribute, CertificateType, KeyType, ObjectClass
from pkcs11.util.rsa import decode_rsa_private_key


def main() -> None:
    plan = json.load(sys.stdin)
    module = pkcs11.lib(plan["module"])
    for token in plan["tokens"]:
        with module.get_token(token_label=token["label"]).open(rw=True, user_pin=token["pin"]) as session:
            for key in token["keys"]:
                attributes = decode_rsa_private_key(bytes.fromhex(key["pkcs1"]))
                attributes[Attribute.KEY_TYPE] = KeyType.RSA
                session.create_object(
                    attributes
                    | {
                        Attribute.TOKEN: True,
                        Attribute.PRIVATE: True,
                        Attribute.SENSITIVE: True,
                        Attribute.SIGN: True,
                        Attribute.ALWAYS_AUTHENTICATE: key["asks_again"],
                        Attribute.ID: bytes.fromhex(key["id"]),
                        Attribute.LABEL: key["label"],
                    }
                )
            for certificate in token["certificates"]:
                session.create_object(
                    {
                        Attribute.CLASS: ObjectClass.CERTIFICATE,
                        Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                        Attribute.TOKEN: True,
                        Attribute.PRIVATE: False,
                        Attribute.ID: bytes.fromhex(certificate["id"]),
                        Attribute.LABEL: certificate["label"],
                        Attribute.SUBJECT: b"",
                        Attribute.VALUE: bytes.fromhex(certificate["der"]),
                    }
                )


if __name__ == "__main__":
    main()
