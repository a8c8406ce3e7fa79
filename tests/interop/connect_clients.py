"""Connect with connectrpc, over both versions of HTTP, in both codecs.

usage: python connect_clients.py http://HOST:PORT

The messages are made from the files of the showcase.
"""

import secrets
import sys
from pathlib import Path

import grpc
from connectrpc.client import ConnectClientSync
from connectrpc.code import Code
from connectrpc.compat import google_protobuf_binary_codec, google_protobuf_json_codec
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport

from checks import check, equal, finish

BASE = sys.argv[1].rstrip("/")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples/showcase/protos"))
users = grpc.protos("user_service.proto")
tests = grpc.protos("test.proto")
CODECS = {"proto": google_protobuf_binary_codec(), "JSON": google_protobuf_json_codec()}
VERSIONS = {"HTTP/1.1": HTTPVersion.HTTP1, "HTTP/2": HTTPVersion.HTTP2}
KINDS = {
    (False, False): StreamType.UNARY, (True, False): StreamType.CLIENT_STREAM,
    (False, True): StreamType.SERVER_STREAM, (True, True): StreamType.BIDI_STREAM,
}


def methods(module, name):
    """Its methods, as connectrpc wants them described."""
    service = module.DESCRIPTOR.services_by_name[name]
    of = lambda kind: getattr(module, kind.name, None) or kind._concrete_class
    return {
        it.name: MethodInfo(
            name=it.name, service_name=service.full_name, input=of(it.input_type), output=of(it.output_type),
            idempotency_level=IdempotencyLevel.NO_SIDE_EFFECTS if it.name == "GetUser" else IdempotencyLevel.UNKNOWN,
            stream_type=KINDS[it.client_streaming, it.server_streaming],
        )
        for it in service.methods
    }


USERS = methods(users, "UserService")
TESTS = methods(tests, "TestService")


def some():
    return f"u{secrets.token_hex(6)}"


def fails(call, code):
    try:
        call()
    except ConnectError as error:
        equal(error.code, code, error.message)
        return error
    raise AssertionError(f"it succeeded instead of {code}")


def clients(**options):
    for version, number in VERSIONS.items():
        for codec, coder in CODECS.items():
            http = SyncClient(SyncHTTPTransport(http_version=number))
            yield f"{version}, {codec}", ConnectClientSync(BASE, codec=coder, http_client=http, **options)


def new_user(client, name=None):
    request = users.CreateUserRequest(name=name or some(), email=f"{some()}@example.com", age=30, roles=["reader"])
    return client.execute_unary(request=request, method=USERS["CreateUser"])


@check("connectrpc, unary, with gzip and without")
def unary():
    for compression in (None, GzipCompression()):
        for _, client in clients(send_compression=compression):
            made = new_user(client, "Grüße 🦀")
            found = client.execute_unary(request=users.GetUserRequest(id=made.id), method=USERS["GetUser"])
            equal((found.name, found.roles), ("Grüße 🦀", ["reader"]))


@check("connectrpc, GET")
def get():
    for compression in (None, GzipCompression()):
        for form, client in clients(send_compression=compression):
            made = new_user(client)
            request = users.GetUserRequest(id=made.id)
            found = client.execute_unary(request=request, method=USERS["GetUser"], use_get=True)
            equal(found.name, made.name, form)


@check("connectrpc, errors")
def errors():
    for _, client in clients():
        ask = lambda: client.execute_unary(request=users.GetUserRequest(id=some()), method=USERS["GetUser"])
        fails(ask, Code.NOT_FOUND)
        for number, code in enumerate(("CANCELED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED"), 1):
            status = tests.EchoStatus(code=number, message="no ☺")
            request = tests.SimpleRequest(response_status=status)
            call = lambda: client.execute_unary(request=request, method=TESTS["UnaryCall"])
            equal(fails(call, Code[code]).message, "no ☺")


@check("connectrpc, streams")
def streams():
    for _, client in clients():
        sizes = [1, 10_000, 0]
        wanted = [tests.ResponseParameters(size=size) for size in sizes]
        request = tests.StreamingOutputCallRequest(response_parameters=wanted)
        answers = client.execute_server_stream(request=request, method=TESTS["StreamingOutputCall"])
        equal([len(it.payload.body) for it in answers], sizes)
        parts = (tests.StreamingInputCallRequest(payload=tests.Payload(body=bytes(size))) for size in sizes)
        answer = client.execute_client_stream(request=parts, method=TESTS["StreamingInputCall"])
        equal(answer.aggregated_payload_size, 10_001)


@check("connectrpc, streams both ways over HTTP/2")
def both_ways():
    for form, client in clients():
        if form.startswith("HTTP/2"):
            said = (users.ChatMessage(user_id="u", text=text) for text in ("one", "two"))
            heard = client.execute_bidi_stream(request=said, method=USERS["Chat"])
            equal([it.text for it in heard], ["one", "two"])


@check("connectrpc, a deadline")
def deadline():
    for _, client in clients():
        wanted = [tests.ResponseParameters(size=1, interval_us=30_000_000)]
        request = tests.StreamingOutputCallRequest(response_parameters=wanted)
        call = lambda: list(client.execute_server_stream(request=request, method=TESTS["StreamingOutputCall"], timeout_ms=100))
        fails(call, Code.DEADLINE_EXCEEDED)


finish()
