"""The wire: gRPC over mutual TLS 1.3 with pinned certificates, and nothing else.

Rule: the only package that imports grpc. Bytes come in, checked values go out; what a query is,
who may ask it and what a share means is not known here.
"""

import os

# grpcio has no setting for the lowest TLS version. The one TLS 1.2 suite left here needs an RSA
# certificate, and identities are P-256, so that no TLS 1.2 handshake can succeed; the suites of
# TLS 1.3 are not affected. `server` checks the negotiated version on each call all the same.
os.environ["GRPC_SSL_CIPHER_SUITES"] = "ECDHE-RSA-AES128-GCM-SHA256"
# A refused handshake is answered with a typed error; gRPC's own lines would name addresses.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
