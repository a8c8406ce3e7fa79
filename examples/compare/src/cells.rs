//! The table of cells: which transport makes sense on which task, and why the rest does not.

use crate::payload::Payload;

/// A way to carry messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    Http1,
    Http1Fresh,
    Pipelined,
    Http2,
    WebSocket,
    WebSocketDeflate,
    WebSocketHttp2,
    Events,
    Grpc,
    GrpcWeb,
    Connect,
    GraphQl,
    GraphQlWs,
    LongPolling,
}

/// What is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// A request with a payload, and a response with the same.
    Request,
    /// A thousand messages of the server on one stream.
    Pushes,
    /// A thousand messages of the client on one stream, and one answer.
    Upload,
    /// A thousand messages each way on one stream, some under way ([`window`]).
    BothWays,
    /// One publication to a thousand connections.
    FanOut,
    /// A new connection and its first message.
    Connect,
    /// The connection is cut: until the next message.
    Reconnect,
    /// Many connections on which nothing happens.
    Idle,
}

/// Messages of one stream.
pub const MESSAGES: usize = 1_000;
/// Requests that are under way on a connection of [`Transport::Pipelined`].
pub const WINDOW: usize = 16;

/// Messages that are under way in each direction of [`Task::BothWays`]: sixteen, but no more
/// than half of what the clients let wait.
pub fn window(payload: Payload) -> usize {
    WINDOW.min((512 << 10) / payload.text().len())
}

impl Transport {
    /// All of them, as tables list them.
    pub const ALL: [Self; 14] = [
        Self::Http1,
        Self::Http1Fresh,
        Self::Pipelined,
        Self::Http2,
        Self::WebSocket,
        Self::WebSocketDeflate,
        Self::WebSocketHttp2,
        Self::Events,
        Self::LongPolling,
        Self::Grpc,
        Self::GrpcWeb,
        Self::Connect,
        Self::GraphQl,
        Self::GraphQlWs,
    ];

    /// As it stands in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http1Fresh => "HTTP/1.1, new connections",
            Self::Pipelined => "HTTP/1.1, pipelined",
            Self::Http2 => "HTTP/2",
            Self::WebSocket => "WebSocket",
            Self::WebSocketDeflate => "WebSocket, deflate",
            Self::WebSocketHttp2 => "WebSocket over HTTP/2",
            Self::Events => "SSE",
            Self::Grpc => "gRPC",
            Self::GrpcWeb => "gRPC-Web",
            Self::Connect => "Connect JSON",
            Self::GraphQl => "GraphQL over HTTP",
            Self::GraphQlWs => "graphql-transport-ws",
            Self::LongPolling => "long polling",
        }
    }

    /// Whether its connections speak HTTP/2, also without TLS.
    pub const fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::WebSocketHttp2 | Self::Grpc)
    }

    /// What a figure of it does not say.
    pub const fn remark(self) -> &'static str {
        match self {
            Self::Pipelined => {
                "sixteen requests in one write, on a bare socket: browsers and most libraries do not pipeline"
            }
            Self::Events => "a request is a POST, answered 204, and its answer an event",
            Self::LongPolling => {
                "a request is a POST, answered 204, and its answer comes to a GET that waits"
            }
            Self::GrpcWeb => "over HTTP/1.1, as a page without TLS speaks it",
            Self::Connect => "over HTTP/1.1: unary calls are plain HTTP",
            Self::GraphQl | Self::GraphQlWs => {
                "the transport alone: its executor knows the documents, so that a library's parsing and resolving come on top"
            }
            Self::WebSocketDeflate => "level 1, with takeover both ways",
            Self::Http1
            | Self::Http1Fresh
            | Self::Http2
            | Self::WebSocket
            | Self::WebSocketHttp2
            | Self::Grpc => "",
        }
    }
}

impl Task {
    pub const ALL: [Self; 8] = [
        Self::Request,
        Self::Connect,
        Self::Pushes,
        Self::Upload,
        Self::BothWays,
        Self::FanOut,
        Self::Reconnect,
        Self::Idle,
    ];

    /// As it stands in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request and response",
            Self::Pushes => "1,000 pushes",
            Self::Upload => "upload of 1,000",
            Self::BothWays => "both ways, 1,000",
            Self::FanOut => "fan-out",
            Self::Connect => "connect, first message",
            Self::Reconnect => "reconnect after a cut",
            Self::Idle => "idle connections",
        }
    }

    /// Messages that one run of it carries.
    pub const fn messages(self, transport: Transport) -> usize {
        match (self, transport) {
            (Self::Pushes | Self::Upload | Self::BothWays, _) => MESSAGES,
            (Self::Request, Transport::Pipelined) => WINDOW,
            _ => 1,
        }
    }
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    pub transport: Transport,
    pub task: Task,
    pub payload: Payload,
    pub secure: bool,
}

impl Cell {
    /// Says why the cell makes no sense, if it does not.
    pub const fn check(self) -> Result<(), &'static str> {
        if let Err(why) = suits(self.transport, self.task) {
            return Err(why);
        }
        let is_small = matches!(self.payload, Payload::Tiny);
        match self.task {
            Task::Connect | Task::Reconnect | Task::Idle if !is_small => {
                Err("the payload is not what is measured: 16 bytes stand for all")
            }
            Task::FanOut if matches!(self.payload, Payload::Large) => {
                Err("64 MiB for one publication measure the memory of the machine")
            }
            Task::Upload | Task::BothWays if matches!(self.payload, Payload::Users) => {
                Err("lists of users are asked for, not sent")
            }
            _ => Ok(()),
        }
    }
}

/// Whether a task can be done over a transport, whatever is sent.
const fn suits(transport: Transport, task: Task) -> Result<(), &'static str> {
    use Transport as T;
    match (task, transport) {
        (Task::Request, _) => Ok(()),
        (_, T::Pipelined) => Err("pipelining is about requests that wait on one connection"),
        (_, T::Http1Fresh) => Err("a connection for each request has nothing that lasts"),
        (Task::Connect | Task::Reconnect | Task::Idle, _) => Ok(()),
        (Task::Pushes, T::GraphQl) => {
            Err("subscriptions go by graphql-transport-ws, or as SSE: those rows have them")
        }
        (Task::Pushes, _) => Ok(()),
        (Task::Upload, T::GrpcWeb) => Err("gRPC-Web has no streams of the client"),
        (Task::Upload | Task::BothWays, T::Events | T::LongPolling) => {
            Err("it flows from the server alone: what is sent are requests")
        }
        (Task::Upload | Task::BothWays, T::GraphQl | T::GraphQlWs) => {
            Err("GraphQL has no streams of the client")
        }
        (Task::Upload, _) => Ok(()),
        (Task::BothWays, T::WebSocket | T::WebSocketDeflate | T::WebSocketHttp2 | T::Grpc) => {
            Ok(())
        }
        (Task::BothWays, T::Http1 | T::Http2) => {
            Err("clients of HTTP rarely read a response while they send: fetch does not")
        }
        (Task::BothWays, _) => Err("it needs HTTP/2: the row of gRPC has it"),
        (Task::FanOut, T::Http1 | T::Http2) => {
            Err("requests reach nobody who has not asked: see long polling and SSE")
        }
        (Task::FanOut, T::GraphQl | T::GraphQlWs) => {
            Err("the executor decides how an event reaches its streams, not the transport")
        }
        (Task::FanOut, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_answers_requests_and_every_task_suits_several() {
        for transport in Transport::ALL {
            assert_eq!(suits(transport, Task::Request), Ok(()));
        }
        for task in Task::ALL {
            let all = Transport::ALL.into_iter();
            assert!(
                all.filter(|it| suits(*it, task).is_ok()).count() >= 4,
                "{task:?}"
            );
        }
    }
}
