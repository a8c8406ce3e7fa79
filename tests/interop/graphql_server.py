"""Strawberry on aiohttp, for graphql_client.mjs: prints its port, ends when its input does.

/graphql speaks graphql-transport-ws and graphql-ws, /legacy the latter alone."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView
from strawberry.subscriptions import GRAPHQL_WS_PROTOCOL


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str) -> str:
        return f"hello {name}"

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("it is broken")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def add(self, n: int) -> int:
        return n


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def countdown(
        self, start: Annotated[int, strawberry.argument(name="from")]
    ) -> AsyncGenerator[int, None]:
        for n in range(start, -1, -1):
            yield n


async def main() -> None:
    schema = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
    app = web.Application()
    app.router.add_route("*", "/graphql", GraphQLView(schema=schema))
    legacy = GraphQLView(schema=schema, subscription_protocols=[GRAPHQL_WS_PROTOCOL])
    app.router.add_route("*", "/legacy", legacy)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


asyncio.run(main())
