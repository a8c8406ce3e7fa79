"""grpc.testing.TestService on grpcio, for barewire's client.

usage: grpc_server.py HOST:PORT [CERTIFICATE KEY]
Prints the port it listens on, and serves until its input ends.
"""

import sys
import time
from concurrent import futures
from pathlib import Path

import grpc

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/showcase/protos"))
messages, services = grpc.protos_and_services("test.proto")
GZIP = grpc.Compression.Gzip

INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def echo_metadata(context):
    sent = dict(context.invocation_metadata())
    if INITIAL in sent:
        context.send_initial_metadata(((INITIAL, sent[INITIAL]),))
    if TRAILING in sent:
        context.set_trailing_metadata(((TRAILING, sent[TRAILING]),))


def payload(size):
    return messages.Payload(body=bytes(size))


def abort_if_asked(request, context):
    if request.HasField("response_status"):
        wanted = request.response_status
        code = next(code for code in grpc.StatusCode if code.value[0] == wanted.code)
        context.abort(code, wanted.message)


def respond(request, context):
    for wanted in request.response_parameters:
        time.sleep(wanted.interval_us / 1e6)
        if not wanted.compressed.value:
            context.disable_next_message_compression()
        yield messages.StreamingOutputCallResponse(payload=payload(wanted.size))


class TestService(services.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return messages.Empty()

    def UnaryCall(self, request, context):
        echo_metadata(context)
        abort_if_asked(request, context)
        if request.response_compressed.value:
            context.set_compression(GZIP)
        return messages.SimpleResponse(payload=payload(request.response_size))

    def StreamingOutputCall(self, request, context):
        echo_metadata(context)
        abort_if_asked(request, context)
        context.set_compression(GZIP)
        yield from respond(request, context)

    def StreamingInputCall(self, requests, context):
        echo_metadata(context)
        total = sum(len(request.payload.body) for request in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=total)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        context.set_compression(GZIP)
        for request in requests:
            abort_if_asked(request, context)
            yield from respond(request, context)


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=120))
    services.add_TestServiceServicer_to_server(TestService(), server)
    if len(sys.argv) > 2:
        certificate, key = (Path(name).read_bytes() for name in sys.argv[2:4])
        port = server.add_secure_port(sys.argv[1], grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port(sys.argv[1])
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


main()
