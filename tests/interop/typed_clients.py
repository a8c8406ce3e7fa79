"""Stock gRPC against the example `typed_service`, whose code is generated from .proto files.

usage: python typed_clients.py PATH

The messages are made from what the server's own reflection tells.
"""

import subprocess
import sys

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from checks import check, equal, finish

server = subprocess.Popen([sys.argv[1], "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
target = server.stdout.readline().strip().removeprefix("http://")
channel = grpc.insecure_channel(target, [("grpc.enable_http_proxy", 0)])
pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


def call(service, name, request):
    """Calls a method with messages that are given by their fields; gives its messages back."""
    method = pool.FindServiceByName(service).FindMethodByName(name)
    make = message_factory.GetMessageClass
    kinds = ("stream" if it else "unary" for it in (method.client_streaming, method.server_streaming))
    stub = getattr(channel, "_".join(kinds))(
        f"/{service}/{name}", make(method.input_type).SerializeToString, make(method.output_type).FromString
    )
    messages = [make(method.input_type)(**fields) for fields in request]
    answer = stub(iter(messages) if method.client_streaming else messages[0], timeout=30)
    return list(answer) if method.server_streaming else [answer]


def greet(name, *request):
    return [it.text for it in call("greet.v1.Greeter", name, request)]


@check("typed unary methods, answered now, later and by a future")
def unary():
    for name in ("SayHello", "SayLater", "SayAsync"):
        equal(greet(name, {"name": "Ann", "options": {"loud": True}}), ["HELLO, ANN!"], name)
    try:
        greet("SayHello", {})
    except grpc.RpcError as error:
        equal(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
    else:
        raise AssertionError("a greeting without a name")


@check("typed streams each way and both ways")
def streams():
    equal(greet("Repeat", {"name": "Ann", "times": 2}), ["Day 1: hello, Ann!", "Day 2: hello, Ann!"])
    equal(greet("GreetAll", {"name": "Ann"}, {"name": "Bob"}), ["Hello, Ann and Bob!"])
    equal(greet("Chat", {"text": "a"}, {"text": "b"}), ["a", "b"])


@check("typed methods of other messages, and one that is not written")
def others():
    equal(len(call("greet.v1.Greeter", "Type", [{}])), 1)
    equal(call("greet.v1.Greeter", "New", [{"seconds": 7}])[0].seconds, 7)
    try:
        call("HTTPEcho", "Say", [{}])
    except grpc.RpcError as error:
        equal(error.code(), grpc.StatusCode.UNIMPLEMENTED)
    else:
        raise AssertionError("it is written")


try:
    finish()
finally:
    server.kill()
