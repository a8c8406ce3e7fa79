"""The echo of Python's websockets, which tests/interop/setup.sh installs: at every path, with what is offered.

usage: websockets_echo.py PORT
"""

import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    deflate = ServerPerMessageDeflateFactory(compress_settings={"level": 1})
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), compression=None, extensions=[deflate], max_size=2 << 20,
                     ping_interval=None) as server:
        await server.serve_forever()


asyncio.run(main())
