"""What is kept on this machine: data folder, lock, settings, database, blobs, journal.

Runs in the main process, which alone holds the data folder's lock and the one writing connection; any
process may read. The only place of the program that talks SQL. Knows no PDF, no PKCS#11 and no HTTP.
"""

from signer_app.store.blobs import Blob, BlobStore
from signer_app.store.datafolder import DataFolder
from signer_app.store.recovery import Recovery, recover
from signer_app.store.settings import Settings, load_settings, save_settings
from signer_app.store.store import Signing, Store, StoreReader, Transaction, View

__all__ = [
    "Blob",
    "BlobStore",
    "DataFolder",
    "Recovery",
    "Settings",
    "Signing",
    "Store",
    "StoreReader",
    "Transaction",
    "View",
    "load_settings",
    "recover",
    "save_settings",
]
