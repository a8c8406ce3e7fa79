#!/usr/bin/env python3
"""GraphQL on /graphql with gql (aiohttp and websockets), sgqlc, and requests.

usage: graphql_clients.py http://HOST:PORT
"""

import asyncio
import sys

import requests
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from sgqlc.endpoint.http import HTTPEndpoint

from checks import check, equal, finish

URL = sys.argv[1].rstrip("/") + "/graphql"
SOCKET = "ws" + URL[len("http") :]
USER = '{ user(id: "1") { id name } }'
ADA = {"user": {"id": "1", "name": "Ada Lovelace"}}
COUNT = "subscription { countdown(from: 1) }"
CREATE = """mutation($input: CreatePost!) { createPost(input: $input) { title author { name } } }"""


@check("gql queries and mutations by http")
def gql_queries_and_mutations_by_http():
    for transport in [RequestsHTTPTransport(url=URL), AIOHTTPTransport(url=URL)]:
        client = Client(transport=transport)
        equal(client.execute(gql(USER)), ADA)
        request = gql(CREATE)
        request.variable_values = {"input": {"title": "by gql", "content": ""}}
        created = client.execute(request)
        equal(created["createPost"]["author"], {"name": "Ada Lovelace"})


@check("gql reads the schema and errors")
def gql_reads_the_schema_and_errors():
    client = Client(transport=RequestsHTTPTransport(url=URL), fetch_schema_from_transport=True)
    with client:
        equal(sorted(client.schema.query_type.fields), ["user", "users"])
    try:
        Client(transport=RequestsHTTPTransport(url=URL)).execute(gql("{ none }"))
    except TransportQueryError as error:
        assert "Unknown field" in error.errors[0]["message"], error
    else:
        raise AssertionError("it does not validate")


@check("gql subscribes by both subprotocols")
def gql_subscribes_by_both_subprotocols():
    async def count(protocol):
        transport = WebsocketsTransport(url=SOCKET, subprotocols=[protocol])
        async with Client(transport=transport) as session:
            return [it["countdown"] async for it in session.subscribe(gql(COUNT))]

    for protocol in ["graphql-transport-ws", "graphql-ws"]:
        equal(asyncio.run(count(protocol)), [1, 0])


@check("sgqlc queries")
def sgqlc_queries():
    endpoint = HTTPEndpoint(URL)
    equal(endpoint(USER)["data"], ADA)
    assert "Unknown field" in endpoint("{ none }")["errors"][0]["message"]


@check("a batch is answered in its order")
def a_batch_is_answered_in_its_order():
    answers = requests.post(URL, json=[{"query": USER}, {"query": "{ users { id } }"}], timeout=60).json()
    equal([list(it["data"]) for it in answers], [["user"], ["users"]])


@check("forms of other sites are refused")
def forms_of_other_sites_are_refused():
    for body in [{"data": {"query": USER}}, {"files": {"0": b"x"}}, {"data": b"{}"}]:
        equal(requests.post(URL, timeout=60, **body).status_code, 415)


finish()
