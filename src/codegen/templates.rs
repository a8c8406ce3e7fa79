//! The code as templates: the names in it are absolute, so that nothing in a package can
//! shadow them.

use prost_build::Method;

pub(super) const PAYLOAD: &str = "\
impl ::barewire::grpc::Payload for {type} {
    const CODECS: &'static [&'static str] = &[\"proto\"];

    fn decode(bytes: &[u8]) -> ::core::result::Result<Self, ::barewire::grpc::CallStatus> {
        <::barewire::grpc::Proto<Self> as ::barewire::grpc::Payload>::decode(bytes).map(|it| it.0)
    }

    fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
        out.reserve(::prost::Message::encoded_len(self));
        // Refused only for want of room, and a vector has it.
        let _ = ::prost::Message::encode(self, out);
    }
}
";

/// Code that nobody has written is no place for advice.
pub(super) const ALLOW: &str = "#[allow(clippy::all, clippy::pedantic, dead_code, deprecated, missing_docs, \
                     unreachable_pub, unused_qualifications, unused_variables)]\n";

pub(super) const SERVER: &str = "
    /// The name of the service, with its package.
    pub const SERVICE_NAME: &str = \"{name}\";

    const UNIMPLEMENTED: ::barewire::grpc::Status = ::barewire::grpc::Status::new(
        ::barewire::grpc::Code::Unimplemented,
        \"the method is not implemented\",
    );

    /// The service of an implementation, for `App::grpc`: to clients of gRPC, gRPC-Web and
    /// Connect.
    pub fn service<T: {Echo}>(implementation: T) -> ::barewire::app::Service {
        let shared = ::std::sync::Arc::new(implementation);
        let service = ::barewire::app::Service::new(SERVICE_NAME);
";

pub(super) const CLIENT: &str = "
    /// Calls of `{name}` that block.
    #[derive(Debug, Clone)]
    pub struct {Echo}Client {
        channel: ::barewire::client::Channel,
    }

    /// Calls of `{name}` that never block: what comes of them is told on the thread of the
    /// channel's loop.
    #[derive(Debug, Clone)]
    pub struct {Echo}LoopClient {
        channel: ::barewire::client::Channel,
    }

    impl {Echo}Client {
        /// A client by this channel, whose options say which protocol is spoken.
        pub const fn new(channel: ::barewire::client::Channel) -> Self {
            Self { channel }
        }

        /// The calls that never block.
        pub fn on_loop(&self) -> {Echo}LoopClient {
            {Echo}LoopClient::new(self.channel.clone())
        }
";

pub(super) const LOOP_CLIENT: &str = "    }

    impl {Echo}LoopClient {
        /// A client by this channel.
        pub const fn new(channel: ::barewire::client::Channel) -> Self {
            Self { channel }
        }
";

/// What differs by the kind of a method.
pub(super) struct Templates {
    /// In the trait.
    pub(super) server: &'static str,
    /// In the function that makes the service.
    pub(super) register: &'static str,
    /// In the client that blocks, and in the other one.
    pub(super) client: [&'static str; 2],
}

const UNARY: Templates = Templates {
    server: "\
fn {method}(
    &self,
    request: {in},
    call: &mut ::barewire::app::Call<'_>,
) -> ::core::result::Result<::barewire::app::UnaryResponse<{out}>, ::barewire::app::CallStatus> {
    ::core::result::Result::Err(UNIMPLEMENTED.into())
}
",
    register: "\
let it = shared.clone();
let service = service.unary_any(\"{Method}\", move |request: {payload}, call| {
    <T as {Echo}>::{method}(&it, {given}, call)
});
",
    client: [
        "\
pub fn {call}(
    &self,
    request: &{payload},
    options: ::barewire::client::CallOptions,
) -> ::core::result::Result<::barewire::client::CallResponse<{out}>, ::barewire::client::Ending> {
    self.channel.unary(\"/{name}/{Method}\", request, options)
}
",
        "\
pub fn {call}(
    &self,
    request: &{payload},
    options: ::barewire::client::CallOptions,
    done: impl ::core::ops::FnOnce(
        ::core::result::Result<::barewire::client::CallResponse<{out}>, ::barewire::client::Ending>,
    ) + ::core::marker::Send + 'static,
) -> ::core::result::Result<(), ::barewire::client::Ending> {
    self.channel.unary_then(\"/{name}/{Method}\", request, options, done)
}
",
    ],
};

const SERVER_STREAMING: Templates = Templates {
    server: "\
fn {method}(
    &self,
    request: {in},
    call: &mut ::barewire::app::Call<'_>,
) -> ::core::result::Result<::barewire::app::StreamingResponse<{out}>, ::barewire::app::CallStatus> {
    ::core::result::Result::Err(UNIMPLEMENTED.into())
}
",
    register: "\
let it = shared.clone();
let service = service.server_streaming_any(\"{Method}\", move |request: {payload}, call| {
    <T as {Echo}>::{method}(&it, {given}, call)
});
",
    client: [
        "\
pub fn {call}(
    &self,
    request: &{payload},
    options: ::barewire::client::CallOptions,
) -> ::core::result::Result<::barewire::client::Responses<{out}>, ::barewire::client::Ending> {
    self.channel.server_streaming(\"/{name}/{Method}\", request, options)
}
",
        "\
pub fn {call}<L>(
    &self,
    request: &{payload},
    options: ::barewire::client::CallOptions,
    listener: L,
) -> ::core::result::Result<::barewire::client::Outgoing<{payload}>, ::barewire::client::Ending>
where
    L: ::barewire::client::CallListener<Request = {payload}, Response = {out}>,
{
    self.channel.server_streaming_then(\"/{name}/{Method}\", request, options, listener)
}
",
    ],
};

/// In the trait, for methods whose requests are streams.
const CONVERSATION: &str = "\
fn {method}(
    &self,
    call: &mut ::barewire::app::Call<'_>,
) -> ::core::result::Result<::barewire::app::BoxConversation<{payload}, {out}>, ::barewire::app::CallStatus> {
    ::core::result::Result::Err(UNIMPLEMENTED.into())
}
";

/// In the client that does not block, for methods whose requests are streams.
const LISTENED: &str = "\
pub fn {call}<L>(
    &self,
    options: ::barewire::client::CallOptions,
    listener: L,
) -> ::core::result::Result<::barewire::client::Outgoing<{payload}>, ::barewire::client::Ending>
where
    L: ::barewire::client::CallListener<Request = {payload}, Response = {out}>,
{
    self.channel.open(\"/{name}/{Method}\", options, listener)
}
";

const CLIENT_STREAMING: Templates = Templates {
    server: CONVERSATION,
    register: "\
let it = shared.clone();
let service = service.client_streaming_any(\"{Method}\", move |call| <T as {Echo}>::{method}(&it, call));
",
    client: [
        "\
pub fn {call}(
    &self,
    options: ::barewire::client::CallOptions,
) -> ::core::result::Result<::barewire::client::Requests<{payload}, {out}>, ::barewire::client::Ending> {
    self.channel.client_streaming(\"/{name}/{Method}\", options)
}
",
        LISTENED,
    ],
};

const BIDIRECTIONAL: Templates = Templates {
    server: CONVERSATION,
    register: "\
let it = shared.clone();
let service = service.bidirectional_any(\"{Method}\", move |call| <T as {Echo}>::{method}(&it, call));
",
    client: [
        "\
pub fn {call}(
    &self,
    options: ::barewire::client::CallOptions,
) -> ::core::result::Result<::barewire::client::Duplex<{payload}, {out}>, ::barewire::client::Ending> {
    self.channel.bidirectional(\"/{name}/{Method}\", options)
}
",
        LISTENED,
    ],
};

pub(super) const fn templates(method: &Method) -> &'static Templates {
    match (method.client_streaming, method.server_streaming) {
        (false, false) => &UNARY,
        (false, true) => &SERVER_STREAMING,
        (true, false) => &CLIENT_STREAMING,
        (true, true) => &BIDIRECTIONAL,
    }
}
