"""Stock gRPC over HTTP/2: grpcio, with its health and reflection clients.

usage: python grpc_clients.py http://HOST:PORT [gzip]

The cases are those of gRPC's public interop description that need no cloud. The
messages are made from what the server's own reflection tells. `gzip` says that
the server reads and writes compressed messages.
"""

import queue
import secrets
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from checks import check, equal, eventually, finish

SCHEME, TARGET = sys.argv[1].rstrip("/").split("://")
GZIP = "gzip" in sys.argv[2:]
OPTIONS = [("grpc.enable_http_proxy", 0)]
PATIENCE = 15



def dial(*options):
    """A channel of its own; over TLS it trusts what GRPC_DEFAULT_SSL_ROOTS_FILE_PATH has."""
    if SCHEME == "https":
        return grpc.secure_channel(TARGET, grpc.ssl_channel_credentials(), [*OPTIONS, *options])
    return grpc.insecure_channel(TARGET, [*OPTIONS, *options])


channel = dial()
pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


class Stub:
    """The methods of a service, as reflection describes it."""

    def __init__(self, name, over=channel):
        for method in pool.FindServiceByName(name).methods:
            kinds = ("stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary")
            make = getattr(over, "_".join(kinds))
            request = message_factory.GetMessageClass(method.input_type)
            response = message_factory.GetMessageClass(method.output_type)
            path = f"/{name}/{method.name}"
            setattr(self, method.name, make(path, request.SerializeToString, response.FromString))


def message(kind, /, **fields):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(kind))(**fields)


def testing(kind, /, **fields):
    return message(f"grpc.testing.{kind}", **fields)


def zeros(size):
    return testing("Payload", body=bytes(size))


def outputs(sizes, **fields):
    parameters = [testing("ResponseParameters", size=size) for size in sizes]
    return testing("StreamingOutputCallRequest", response_parameters=parameters, **fields)


def fails(call, code, details=None):
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code, error.details())
        if details is not None:
            equal(error.details(), details)
        return error
    raise AssertionError(f"it succeeded instead of {code}")


class Pipe:
    """The messages of a request, one after the other, until it is closed."""

    def __init__(self):
        self.queue = queue.Queue()

    def send(self, item):
        self.queue.put(item)

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return iter(self.queue.get, None)


test = Stub("grpc.testing.TestService")
users = Stub("user_service.UserService")
REQUESTS, RESPONSES = [27182, 8, 1828, 45904], [31415, 9, 2653, 58979]


# The interop description.


@check("grpc empty_unary")
def empty_unary():
    equal(test.EmptyCall(testing("Empty"), timeout=PATIENCE), testing("Empty"))


def large(stub=test, **more):
    request = testing("SimpleRequest", response_size=314159, payload=zeros(271828))
    response = stub.UnaryCall(request, timeout=PATIENCE, **more)
    equal(response.payload.body, bytes(314159))


@check("grpc large_unary")
def large_unary():
    large()


@check("grpc client_streaming")
def client_streaming():
    sent = (testing("StreamingInputCallRequest", payload=zeros(size)) for size in REQUESTS)
    equal(test.StreamingInputCall(sent, timeout=PATIENCE).aggregated_payload_size, sum(REQUESTS))


@check("grpc server_streaming")
def server_streaming():
    received = test.StreamingOutputCall(outputs(RESPONSES), timeout=PATIENCE)
    equal([len(one.payload.body) for one in received], RESPONSES)


@check("grpc ping_pong")
def ping_pong():
    pipe = Pipe()
    call = test.FullDuplexCall(iter(pipe), timeout=PATIENCE)
    for request, response in zip(REQUESTS, RESPONSES):
        pipe.send(outputs([response], payload=zeros(request)))
        equal(len(next(call).payload.body), response)
    pipe.close()
    equal(list(call), [])


@check("grpc empty_stream")
def empty_stream():
    equal(list(test.FullDuplexCall(iter(()), timeout=PATIENCE)), [])


@check("grpc half_duplex")
def half_duplex():
    sent = (outputs([response], payload=zeros(1)) for response in RESPONSES)
    received = test.HalfDuplexCall(sent, timeout=PATIENCE)
    equal([len(one.payload.body) for one in received], RESPONSES)


@check("grpc cacheable_unary")
def cacheable_unary():
    request = testing("SimpleRequest", response_size=5, payload=zeros(1))
    equal(test.CacheableUnaryCall(request, timeout=PATIENCE).payload.body, bytes(5))


@check("grpc custom_metadata")
def custom_metadata():
    initial, trailing = ("x-grpc-test-echo-initial", "test_initial_metadata_value"), b"\xab\xab\xab"
    sent = [initial, ("x-grpc-test-echo-trailing-bin", trailing)]
    request = testing("SimpleRequest", response_size=314159, payload=zeros(271828))
    _, call = test.UnaryCall.with_call(request, metadata=sent, timeout=PATIENCE)
    equal(dict(call.initial_metadata())[initial[0]], initial[1])
    equal(dict(call.trailing_metadata())["x-grpc-test-echo-trailing-bin"], trailing)
    call = test.FullDuplexCall(iter([outputs([314159])]), metadata=sent, timeout=PATIENCE)
    equal(dict(call.initial_metadata())[initial[0]], initial[1])
    equal([len(one.payload.body) for one in call], [314159])
    equal(dict(call.trailing_metadata())["x-grpc-test-echo-trailing-bin"], trailing)


@check("grpc status_code_and_message")
def status_code_and_message():
    status = testing("EchoStatus", code=2, message="test status message")
    unary = testing("SimpleRequest", response_status=status)
    fails(lambda: test.UnaryCall(unary, timeout=PATIENCE), grpc.StatusCode.UNKNOWN, "test status message")
    stream = testing("StreamingOutputCallRequest", response_status=status)
    call = test.FullDuplexCall(iter([stream]), timeout=PATIENCE)
    fails(lambda: list(call), grpc.StatusCode.UNKNOWN, "test status message")


@check("grpc special_status_message")
def special_status_message():
    words = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    request = testing("SimpleRequest", response_status=testing("EchoStatus", code=2, message=words))
    fails(lambda: test.UnaryCall(request, timeout=PATIENCE), grpc.StatusCode.UNKNOWN, words)


@check("grpc every status code")
def every_code():
    for code in grpc.StatusCode:
        number, _ = code.value
        if number > 0:
            request = testing("SimpleRequest", response_status=testing("EchoStatus", code=number, message=f"{code}"))
            fails(lambda: test.UnaryCall(request, timeout=PATIENCE), code, f"{code}")


@check("grpc unimplemented_method")
def unimplemented_method():
    fails(lambda: test.UnimplementedCall(testing("Empty"), timeout=PATIENCE), grpc.StatusCode.UNIMPLEMENTED)


@check("grpc unimplemented_service")
def unimplemented_service():
    other = Stub("grpc.testing.UnimplementedService")
    fails(lambda: other.UnimplementedCall(testing("Empty"), timeout=PATIENCE), grpc.StatusCode.UNIMPLEMENTED)


@check("grpc cancel_after_begin")
def cancel_after_begin():
    pipe = Pipe()
    future = test.StreamingInputCall.future(iter(pipe), timeout=PATIENCE)
    future.cancel()
    pipe.close()
    equal((future.cancelled(), future.code()), (True, grpc.StatusCode.CANCELLED))


@check("grpc cancel_after_first_response")
def cancel_after_first_response():
    pipe = Pipe()
    call = test.FullDuplexCall(iter(pipe), timeout=PATIENCE)
    pipe.send(outputs([31415], payload=zeros(27182)))
    equal(len(next(call).payload.body), 31415)
    call.cancel()
    pipe.close()
    fails(lambda: next(call), grpc.StatusCode.CANCELLED)


@check("grpc timeout_on_sleeping_server")
def timeout_on_sleeping_server():
    pipe = Pipe()
    call = test.FullDuplexCall(iter(pipe), timeout=0.05)
    pipe.send(testing("StreamingOutputCallRequest", payload=zeros(27182)))
    fails(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)
    pipe.close()
    # A response that comes too late, in the middle of a stream.
    late = testing("ResponseParameters", size=1, interval_us=30_000_000)
    parameters = [testing("ResponseParameters", size=1), late]
    request = testing("StreamingOutputCallRequest", response_parameters=parameters)
    call = test.StreamingOutputCall(request, timeout=2)
    equal(len(next(call).payload.body), 1)
    fails(lambda: next(call), grpc.StatusCode.DEADLINE_EXCEEDED)


@check("grpc concurrent_large_unary", 60)
def concurrent_large_unary():
    with ThreadPoolExecutor(20) as threads:
        for done in [threads.submit(large) for _ in range(100)]:
            done.result(50)


@check("grpc soak", 120)
def soak():
    for _ in range(200):
        large()
    for _ in range(20):
        with dial(("grpc.use_local_subchannel_pool", 1)) as own:
            large(Stub("grpc.testing.TestService", own))


# Compression.


def compressed(value):
    return testing("BoolValue", value=value)


if GZIP:

    @check("grpc client_compressed_unary")
    def client_compressed_unary():
        def ask(expected, compression):
            request = testing(
                "SimpleRequest", expect_compressed=compressed(expected), response_size=314159, payload=zeros(271828)
            )
            return test.UnaryCall(request, timeout=PATIENCE, compression=compression)

        # The probe: not compressed in spite of what it says.
        fails(lambda: ask(True, grpc.Compression.NoCompression), grpc.StatusCode.INVALID_ARGUMENT)
        equal(ask(True, grpc.Compression.Gzip).payload.body, bytes(314159))
        equal(ask(False, grpc.Compression.NoCompression).payload.body, bytes(314159))

    @check("grpc client_compressed_streaming")
    def client_compressed_streaming():
        sizes = [27182, 45904]  # what compression does not shorten is sent as it is

        def sent(expected):
            for size in sizes:
                yield testing("StreamingInputCallRequest", expect_compressed=compressed(expected), payload=zeros(size))

        ask = test.StreamingInputCall
        fails(lambda: ask(sent(True), timeout=PATIENCE), grpc.StatusCode.INVALID_ARGUMENT)
        answer = ask(sent(True), timeout=PATIENCE, compression=grpc.Compression.Gzip)
        equal(answer.aggregated_payload_size, sum(sizes))

    @check("grpc server_compressed_unary")
    def server_compressed_unary():
        for wanted in (True, False):
            request = testing(
                "SimpleRequest", response_compressed=compressed(wanted), response_size=314159, payload=zeros(271828)
            )
            answer, call = test.UnaryCall.with_call(request, timeout=PATIENCE)
            equal(answer.payload.body, bytes(314159))

    @check("grpc server_compressed_streaming")
    def server_compressed_streaming():
        sizes = [31415, 92653]
        parameters = [
            testing("ResponseParameters", size=size, compressed=compressed(value))
            for size, value in zip(sizes, (True, False))
        ]
        request = testing("StreamingOutputCallRequest", response_parameters=parameters)
        received = test.StreamingOutputCall(request, timeout=PATIENCE)
        equal([len(one.payload.body) for one in received], sizes)

    @check("grpc deflate is not read, and the answer says what is")
    def deflate():
        error = fails(
            lambda: test.EmptyCall(testing("Empty"), timeout=PATIENCE, compression=grpc.Compression.Deflate),
            grpc.StatusCode.UNIMPLEMENTED,
        )
        equal(error.details(), "unknown grpc-encoding")


# Limits.


@check("grpc a message over the limit is refused")
def over_the_limit():
    request = testing("SimpleRequest", payload=zeros(4 << 20))
    fails(lambda: test.UnaryCall(request, timeout=PATIENCE), grpc.StatusCode.RESOURCE_EXHAUSTED)
    # The connection lives.
    empty_unary()


@check("grpc a stream of 20,000 messages")
def many_messages():
    received = test.StreamingOutputCall(outputs([10] * 20_000), timeout=PATIENCE)
    equal(sum(len(one.payload.body) for one in received), 200_000)


@check("grpc a client that reads nothing for a while")
def slow_client():
    call = test.StreamingOutputCall(outputs([100_000] * 200), timeout=PATIENCE)
    time.sleep(0.5)
    equal([len(one.payload.body) for one in call], [100_000] * 200)


# Health and reflection.


@check("grpc health Check")
def health_check():
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "grpc.testing.TestService", "user_service.UserService"):
        request = health_pb2.HealthCheckRequest(service=service)
        equal(stub.Check(request, timeout=PATIENCE).status, health_pb2.HealthCheckResponse.SERVING)
    unknown = health_pb2.HealthCheckRequest(service="nobody.Knows")
    fails(lambda: stub.Check(unknown, timeout=PATIENCE), grpc.StatusCode.NOT_FOUND)


@check("grpc health Watch")
def health_watch():
    stub = health_pb2_grpc.HealthStub(channel)
    for service, wanted in (("", 1), ("nobody.Knows", 3)):
        call = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
        equal(next(call).status, wanted)
        call.cancel()


@check("grpc reflection lists and describes the services")
def reflection():
    database = ProtoReflectionDescriptorDatabase(channel)
    services = database.get_services()
    reflections = [f"grpc.reflection.{version}.ServerReflection" for version in ("v1", "v1alpha")]
    named = ["grpc.testing.TestService", "user_service.UserService", "grpc.health.v1.Health"]
    for service in named + reflections:
        assert service in services, services
        equal(pool.FindServiceByName(service).full_name, service)
    equal(pool.FindFieldByName("user_service.User.email").number, 3)
    equal(pool.FindEnumTypeByName("grpc.testing.PayloadType").values[0].name, "COMPRESSABLE")


@check("grpc reflection v1 and v1alpha answer alike")
def reflection_versions():
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_by_filename="user_service.proto"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.Such"),
        reflection_pb2.ServerReflectionRequest(all_extension_numbers_of_type="user_service.User"),
        reflection_pb2.ServerReflectionRequest(host="here"),
    ]
    answers = []
    for version in ("v1", "v1alpha"):
        ask = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )
        answers.append(list(ask(iter(requests), timeout=PATIENCE)))
    equal(answers[0], answers[1])
    listed, file, missing, numbers, nothing = answers[0]
    equal(len(listed.list_services_response.service) >= 4, True)
    equal(len(file.file_descriptor_response.file_descriptor_proto), 1)
    equal(missing.error_response.error_code, 5)
    equal(numbers.all_extension_numbers_response.base_type_name, "user_service.User")
    equal((nothing.valid_host, nothing.error_response.error_code), ("here", 3))


# The showcase's own service.


def some(name=None):
    name = name or secrets.token_hex(6)
    return message("user_service.CreateUserRequest", name=name, email=f"{name}@example.com", age=30, roles=["reader"])


@check("grpc UserService: unary and server streaming")
def user_service():
    asked = some()
    user = users.CreateUser(asked, timeout=PATIENCE)
    equal(users.GetUser(message("user_service.GetUserRequest", id=user.id), timeout=PATIENCE), user)
    found = users.ListUsers(message("user_service.ListUsersRequest", filter=asked.name), timeout=PATIENCE)
    equal(list(found), [user])
    equal(users.DeleteUser(message("user_service.DeleteUserRequest", id=user.id), timeout=PATIENCE).success, True)
    gone = message("user_service.GetUserRequest", id=user.id)
    fails(lambda: users.GetUser(gone, timeout=PATIENCE), grpc.StatusCode.NOT_FOUND)


@check("grpc UserService: UpdateUsers says how many were processed")
def update_users():
    made = [users.CreateUser(some(), timeout=PATIENCE) for _ in range(5)]

    def updates():
        for user in made:
            user.age += 1
            yield message("user_service.UpdateUserRequest", id=user.id, user=user)
        yield message("user_service.UpdateUserRequest", id="nobody", user=made[0])

    answer = users.UpdateUsers(updates(), timeout=PATIENCE)
    equal((answer.processed, len(answer.failures)), (5, 1))
    user = users.GetUser(message("user_service.GetUserRequest", id=made[0].id), timeout=PATIENCE)
    equal(user.age, 31)


@check("grpc UserService: Chat echoes with the time and who processed it")
def chat():
    pipe = Pipe()
    call = users.Chat(iter(pipe), timeout=PATIENCE)
    for text in ("hello", "", "☺" * 1000):
        before = int(time.time() * 1000)
        pipe.send(message("user_service.ChatMessage", user_id="7", text=text, metadata={"mood": "fine"}))
        answer = next(call)
        equal((answer.user_id, answer.text), ("7", text))
        equal(dict(answer.metadata), {"mood": "fine", "processed_by": "UserService"})
        assert before - 1000 <= answer.timestamp <= int(time.time() * 1000) + 1000, answer.timestamp
    pipe.close()
    equal(list(call), [])


@check("grpc a hundred conversations at a time on one connection", 60)
def conversations():
    def talk(number):
        pipe = Pipe()
        call = users.Chat(iter(pipe), timeout=50)
        for turn in range(20):
            pipe.send(message("user_service.ChatMessage", text=f"{number} {turn}"))
            equal(next(call).text, f"{number} {turn}")
        pipe.close()
        equal(list(call), [])

    with ThreadPoolExecutor(100) as threads:
        for done in [threads.submit(talk, number) for number in range(100)]:
            done.result(55)


@check("grpc a client that pings a silent call every second is sent away", 90)
def keep_alives():
    # Three pings without a frame of an answer between them, and one more. However
    # busy the machine, they are not the five minutes apart that make them right.
    options = [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_timeout_ms", 60_000)]
    options += [("grpc.http2.max_pings_without_data", 0), ("grpc.use_local_subchannel_pool", 1)]
    with dial(*options) as hasty:
        pipe = Pipe()
        call = Stub("user_service.UserService", hasty).Chat(iter(pipe), timeout=80)
        error = fails(lambda: next(call), grpc.StatusCode.UNAVAILABLE)
        pipe.close()
        assert "too_many_pings" in error.details(), error.details()
    # Others do not notice.
    users.GetUser(message("user_service.GetUserRequest", id="1"), timeout=PATIENCE)


finish()
