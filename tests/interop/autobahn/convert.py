"""Turns the Python 2 sources of the Autobahn test suite into Python 3.

usage: convert.py SOURCE.tar.gz FOLDER

A payload in the suite is a Python 2 `str`, that is bytes. The cases keep their
meaning unchanged if such a value becomes a `str` whose code points are all
below 256 (latin-1). Real bytes exist only below the methods that BOUNDARY adds
to the suite's protocol class, where it calls the WebSocket library.

Every replacement states how often its text must occur: another version of the
suite stops here, instead of running as something that is not the suite.
"""
import io
import os
import re
import sys
import tarfile
import warnings

warnings.filterwarnings("ignore")
try:
    from lib2to3.refactor import RefactoringTool
    FIX = "lib2to3.fixes.fix_"
except ImportError:
    from fissix.refactor import RefactoringTool
    FIX = "fissix.fixes.fix_"

KEEP = re.compile(r"^[^/]+/autobahntestsuite/((__init__|_version|caseset|fuzzing|report)\.py|case/[^/]+\.py|testdata/.*)$")
SHIM = '''
def _b(x):
    return x.encode("latin-1") if isinstance(x, str) else bytes(x)
def _s(x):
    return x if isinstance(x, str) else bytes(x).decode("latin-1")
def _hex(x):
    return _b(x).hex()
'''
BOUNDARY = '''
   ## latin-1 str above, bytes below
   def sendFrame(self, opcode, payload = b'', fin = True, rsv = 0, mask = None, payload_len = None, chopsize = None, sync = False):
      payload = _b(payload)
      if payload_len is not None:
         n = len(payload)
         payload = payload * (payload_len // n) + payload[:payload_len % n]
      if isinstance(mask, str):
         mask = _b(mask)
      return super().sendFrame(opcode = opcode, payload = payload, fin = fin, rsv = rsv, mask = mask, chopsize = chopsize, sync = sync)

   def sendMessage(self, payload, *a, **k):
      return super().sendMessage(_b(payload), *a, **k)

   def sendMessageFrameData(self, payload, *a, **k):
      return super().sendMessageFrameData(_b(payload), *a, **k)

   def sendCloseFrame(self, code = None, reasonUtf8 = None, isReply = False):
      return super().sendCloseFrame(code = code, reasonUtf8 = None if reasonUtf8 is None else _b(reasonUtf8), isReply = isReply)

   def onPing(self, payload):
      super().onPing(payload)
      if self.runCase:
         self.runCase.onPing(_s(payload))
'''


def sub(text, old, new, count=None):
    n = text.count(old)
    if n == 0 or (count is not None and n != count):
        sys.exit("port_py3: expected text not found (%d times): %r" % (n, old))
    return text.replace(old, new)


def main(sdist, out):
    fixers = [FIX + f for f in ("print", "except", "raise", "has_key", "xrange", "ne", "exec", "repr", "map", "filter", "dict", "numliterals")]
    tool = RefactoringTool(fixers)
    with tarfile.open(sdist) as tf:
        for m in tf.getmembers():
            if not m.isfile() or not KEEP.match(m.name) or m.name.endswith("case9_9_1.py"):
                continue
            data = tf.extractfile(m).read()
            rel = m.name.split("/", 1)[1]
            dst = os.path.join(out, rel)
            os.makedirs(os.path.dirname(dst), exist_ok=True)
            if not rel.endswith(".py"):
                open(dst, "wb").write(data)
                continue
            # One byte of the source becomes one latin-1 character, so literals keep their bytes.
            t = data.decode("latin-1").replace("\r\n", "\n")
            t = re.sub(r"^#.*coding[:=].*$", "#", t, flags=re.M)
            name = os.path.basename(rel)
            if rel.startswith("autobahntestsuite/case/"):
                t = re.sub(r"^from case(\d?\w*) import", r"from .case\1 import", t, flags=re.M)
            t = re.sub(r"^import case(\d\w*)$", r"from . import case\1", t, flags=re.M)
            t = re.sub(r"^from _version import", "from ._version import", t, flags=re.M)
            t = t.replace("binascii.b2a_hex(", "_hex(").replace("unichr(", "chr(")
            t = t.replace('"\\.\'', '"\\\\.\'')
            t = t.replace("(object, Case, )", "(Case, )")
            if rel == "autobahntestsuite/__init__.py":
                t = "from ._version import __version__\nversion = __version__\n"
            if name == "report.py":
                # Reports are read as JSON: of this file only the style constants are imported.
                t = t[:t.index("REPORT_DIR_PERMISSIONS")]
                t = re.sub(r"^import .*$", "", t, flags=re.M)
            if rel == "autobahntestsuite/case/__init__.py":
                t = sub(t, "from .case9_9_1 import *", "", 1)
            if name == "case.py":
                t = sub(t, "pickle.dumps(obj1) == pickle.dumps(obj2)", "[tuple(x) for x in obj1] == [tuple(x) for x in obj2]", 1)
            if name == "case10_1_1.py":
                t = sub(t, "len(self.payload) / self", "len(self.payload) // self", 1)
            if name == "case12_x_x.py":
                t = sub(t, "import copy, os, pkg_resources, hashlib, binascii", "import copy, os, hashlib, binascii", 1)
                t = sub(t, 'pkg_resources.resource_filename("autobahntestsuite", ', 'os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ')
                t = sub(t, "   m = hashlib.sha1()\n   m.update(msg)\n   received_hash", "   msg = _b(msg)\n   m = hashlib.sha1()\n   m.update(msg)\n   received_hash", 1)
            if name == "case6_x_x.py":
                t = sub(t, "v.validate(vss[:i])", "v.validate(_b(vss[:i]))", 1)
                t = t.replace('.encode("utf-8")', '.encode("utf-8", "surrogatepass").decode("latin-1")')
            if name == "fuzzing.py":
                t = sub(t, "textwrap, pkg_resources", "textwrap", 1)
                t = sub(t, "from twisted.internet import reactor, ssl\n", "from twisted.internet import reactor\nssl = None\n", 1)
                t = sub(t, "from twisted.web.server import Site\nfrom twisted.web.static import File\n", "", 1)
                t = re.sub(r"^from (case|caseset|report) import", r"from .\1 import", t, flags=re.M)
                t = sub(t, "   MAX_WIRE_LOG_DATA = 256\n", "   MAX_WIRE_LOG_DATA = 256\n" + BOUNDARY, 1)
                t = sub(t, "return dd.decode('utf8', errors", "return _b(dd).decode('utf8', errors", 1)
                t = sub(t, "   ellipses = \" ...\"\n", "   ellipses = \" ...\"\n   data = data if isinstance(data, str) else _s(data[:maxlen + 8])\n", 2)
                t = sub(t, "p = ''.join(payload)", "p = b''.join(payload)", 1)
                t = sub(t, "self.runCase.onPong(payload)", "self.runCase.onPong(_s(payload))", 1)
                t = sub(t, "self.runCase.onMessage(msg, binary)", "self.runCase.onMessage(_s(msg), binary)", 1)
                t = sub(t, "json.loads(msg)", "json.loads(_s(msg))", 1)
                t = sub(t, "produceHtml = True", "produceHtml = False", 1)
                t = sub(t, "json.dumps(case, sort_keys", "json.dumps(case, default = _s, sort_keys", 1)
                t = sub(t, "self.contextFactory = ssl.optionsForClientTLS(hostname)", "raise Exception('this conversion has no TLS')", 1)
                t = sub(t, "self.contextFactory = ssl.ClientContextFactory()", "self.contextFactory = None", 1)
                i = t.index("   if webport:\n")
                j = t.index("   return True", i)
                t = t[:i] + t[j:]
            t = str(tool.refactor_string(t if t.endswith("\n") else t + "\n", rel))
            i = t.find("\nimport ")
            k = t.find("\nfrom ")
            i = min(x for x in (i, k, len(t)) if x >= 0)
            if "_b(" in t or "_s(" in t or "_hex(" in t:
                t = t[:i] + "\n" + SHIM + t[i:]
            with io.open(dst, "w", encoding="utf-8") as f:
                f.write(t)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
