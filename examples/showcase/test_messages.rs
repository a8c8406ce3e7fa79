//! The messages of `grpc.testing.TestService`, as prost generates them.

use prost::Message;

use super::messages::payloads;

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Empty {}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct BoolValue {
    #[prost(bool, tag = "1")]
    pub(crate) value: bool,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Body {
    #[prost(int32, tag = "1")]
    pub(crate) r#type: i32,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct EchoStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct SimpleRequest {
    #[prost(int32, tag = "1")]
    pub(crate) response_type: i32,
    #[prost(int32, tag = "2")]
    pub(crate) response_size: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) payload: Option<Body>,
    #[prost(message, optional, tag = "6")]
    pub(crate) response_compressed: Option<BoolValue>,
    #[prost(message, optional, tag = "7")]
    pub(crate) response_status: Option<EchoStatus>,
    #[prost(message, optional, tag = "8")]
    pub(crate) expect_compressed: Option<BoolValue>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct SimpleResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Body>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct StreamingInputCallRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Body>,
    #[prost(message, optional, tag = "2")]
    pub(crate) expect_compressed: Option<BoolValue>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct StreamingInputCallResponse {
    #[prost(int32, tag = "1")]
    pub(crate) aggregated_payload_size: i32,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct ResponseParameters {
    #[prost(int32, tag = "1")]
    pub(crate) size: i32,
    #[prost(int32, tag = "2")]
    pub(crate) interval_us: i32,
    #[prost(message, optional, tag = "3")]
    pub(crate) compressed: Option<BoolValue>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct StreamingOutputCallRequest {
    #[prost(int32, tag = "1")]
    pub(crate) response_type: i32,
    #[prost(message, repeated, tag = "2")]
    pub(crate) response_parameters: Vec<ResponseParameters>,
    #[prost(message, optional, tag = "3")]
    pub(crate) payload: Option<Body>,
    #[prost(message, optional, tag = "7")]
    pub(crate) response_status: Option<EchoStatus>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct StreamingOutputCallResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) payload: Option<Body>,
}

payloads! {
    Empty,
    SimpleRequest,
    SimpleResponse,
    StreamingInputCallRequest,
    StreamingInputCallResponse,
    StreamingOutputCallRequest,
    StreamingOutputCallResponse,
}
