"""Makes an installed package with a vendor, as another project would ship one."""

from pathlib import Path

SOURCE = """
import os, signal
from paperdesk.tools.market.vendors.errors import UnknownSymbol
from paperdesk.tools.market.vendors.protocol import Piece, Source, VendorSettings

class Stall:
    name = "stall"
    provides = frozenset({"prices"})

    def __init__(self, settings):
        self._clock = settings.clock

    def close(self):
        pass

    def fetch(self, request):
        if os.environ.get("STALL_INTERRUPT") == request.symbol:
            del os.environ["STALL_INTERRUPT"]
            os.kill(os.getpid(), signal.SIGINT)
        if request.symbol == "NOPE":
            raise UnknownSymbol("stall has no NOPE; check the name")
        day = request.start
        row = {"date": "2024-06-05", "ticker": request.symbol, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0,
               "volume": 5.0, "dividend": 0.0, "split": 0.0}
        source = Source(url="stall://1", sha256="0" * 64, bytes=1, fetched_at=self._clock())
        return Piece(rows=(row, {**row, "date": "2024-06-06"}), sources=(source,))

def open_vendor(settings: VendorSettings) -> Stall:
    return Stall(settings)

def broken(settings):
    return object()
"""


def install(folder: Path, entry_points: str, version: str = "3.1") -> None:
    """Lay a package `stall-vendor` into a folder of the search path."""
    (folder / "stall_vendor.py").write_text(SOURCE)
    info = folder / f"stall_vendor-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stall-vendor\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[paperdesk.vendors]\n{entry_points}\n")
